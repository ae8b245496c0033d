// Which of karlo-tiny's shapes an image shows, by the outline of what is not background. CLIP of karlo-tiny knows
// captions, but tells shapes apart poorly: recolouring a shape changes its answer in most images.

/** @typedef {{ width: number, height: number, data: Uint8Array }} Image RGB */
/** @typedef {(x: number, y: number) => boolean} Shape whether a point is inside; x to the right, y up, radius 1 */

/** The shapes as they were drawn in karlo-tiny's training images. @type {Readonly<Record<string, Shape>>} */
export const outlines = {
  circle: (x, y) => Math.hypot(x, y) < 1,
  square: (x, y) => Math.max(Math.abs(x), Math.abs(y)) < 0.86,
  triangle: (x, y) => Math.max(0.866 * Math.abs(x) + 0.5 * (y + 0.15), -(y + 0.15)) < 0.56,
  star: (x, y) => Math.hypot(x, y) < starEdge(Math.atan2(x, y)),
  heart: (x, y) => isHeart(1.15 * x, 1.15 * y + 0.12),
  ring: (x, y) => Math.abs(Math.hypot(x, y) - 0.79) < 0.21,
  diamond: (x, y) => 1.25 * Math.abs(x) + Math.abs(y) < 1.05,
  moon: (x, y) => Math.hypot(x, y) < 1 && Math.hypot(x - 0.45, y - 0.12) > 0.82,
  cross: (x, y) =>
    Math.min(Math.abs(x), Math.abs(y)) < 0.32 && Math.max(Math.abs(x), Math.abs(y)) < 0.95,
  hexagon: (x, y) => Math.max(0.866 * Math.abs(x) + 0.5 * Math.abs(y), Math.abs(y)) < 0.86,
};

/** The distance of a star's edge from its centre, in the direction of an angle from the top. */
function starEdge(/** @type {number} */ angle) {
  const [outer, inner, half] = [1.08, 0.46, Math.PI / 5];
  const turns = (angle + half) / (2 * half);
  const fromTip = Math.abs((turns - Math.floor(turns)) * 2 * half - half);
  const [a, b] = [outer * Math.sin(fromTip), inner * Math.sin(half - fromTip)];
  return (outer * inner * Math.sin(half)) / (a + b);
}

/**
 * @param {number} x
 * @param {number} y
 */
function isHeart(x, y) {
  return (x ** 2 + y ** 2 - 1) ** 3 < x ** 2 * y ** 3;
}

/** @typedef {{ area: number, x: number, y: number }} Moments the area of a shape, and its centre */

const moments = Object.entries(outlines).map(([name, shape]) => {
  const side = 240;
  const at = (/** @type {number} */ i) => ((i + 0.5) / side) * 2.4 - 1.2;
  const mask = Array.from({ length: side ** 2 }, (_, i) =>
    shape(at(i % side), -at(Math.floor(i / side))),
  );
  const { area, x, y } = momentsOf(mask, side);
  return { name, shape, area: area * (2.4 / side) ** 2, x: at(x), y: -at(y) };
});

/**
 * The shape that overlaps most with an image's foreground, when it is moved to the same centre and has the same area.
 * @param {Image} image
 */
export function shapeOf(image) {
  const mask = foreground(image);
  const found = momentsOf(mask, image.width);
  const overlaps = moments.map(({ name, shape, area, x, y }) => {
    const radius = Math.sqrt(found.area / area);
    const moved = mask.map((_, i) => {
      const [column, row] = [i % image.width, Math.floor(i / image.width)];
      return shape((column - found.x) / radius + x, -(row - found.y) / radius + y);
    });
    return { name, overlap: overlapOf(mask, moved) };
  });
  return /** @type {typeof overlaps[number]} */ (overlaps.sort((a, b) => b.overlap - a.overlap)[0])
    .name;
}

/**
 * Whether each pixel differs from the median colour of the border.
 * @param {Image} image
 */
export function foreground({ width, height, data }) {
  const pixels = Array.from({ length: width * height }, (_, i) => data.subarray(3 * i, 3 * i + 3));
  const border = pixels.filter((_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    return Math.min(x, y, width - 1 - x, height - 1 - y) < width / 16;
  });
  const median = [0, 1, 2].map((c) => {
    const values = border.map((pixel) => Number(pixel[c])).sort((p, q) => p - q);
    return Number(values[values.length >> 1]);
  });
  return pixels.map((pixel) => Math.hypot(...median.map((m, c) => m - Number(pixel[c]))) > 60);
}

/**
 * The intersection of two masks over their union.
 * @param {readonly boolean[]} a
 * @param {readonly boolean[]} b
 */
export function overlapOf(a, b) {
  let [both, either] = [0, 0];
  for (const [i, one] of a.entries()) {
    both += Number(one && b[i]);
    either += Number(one || b[i]);
  }
  return both / either;
}

/**
 * @param {readonly boolean[]} mask
 * @param {number} width
 * @returns {Moments} in pixels
 */
function momentsOf(mask, width) {
  let [area, x, y] = [0, 0, 0];
  for (const [i, inside] of mask.entries()) {
    if (!inside) continue;
    area += 1;
    x += i % width;
    y += Math.floor(i / width);
  }
  return { area, x: x / area, y: y / area };
}
