// The judge of karlo-tiny's model card: it finds the colours of an image by its pixels.

/**
 * The colours of karlo-tiny's vocabulary, as they were painted in its training images.
 * @type {Readonly<Record<string, readonly [number, number, number]>>}
 */
export const palette = {
  red: [220, 40, 40],
  orange: [240, 140, 30],
  yellow: [245, 215, 50],
  green: [50, 160, 70],
  blue: [45, 90, 215],
  purple: [130, 60, 180],
  pink: [245, 130, 180],
  brown: [130, 80, 45],
  black: [25, 25, 30],
  white: [250, 250, 250],
  gray: [135, 140, 145],
  cyan: [60, 200, 215],
};

/** @typedef {{ width: number, data: Uint8Array }} Image RGB, square */

/**
 * The colours of an image, by name. The background has the colour of most pixels at the border, the
 * shape that of most of the other pixels in the middle.
 * @param {Image} image
 * @returns {{ background: string, shape: string | undefined }}
 */
export function coloursOf(image) {
  const side = image.width;
  const [margin, quarter] = [side / 16, side / 4];
  /** @type {Map<string, number>} */
  const border = new Map();
  /** @type {Map<string, number>} */
  const middle = new Map();
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      const edge = Math.min(x, y, side - 1 - x, side - 1 - y);
      if (edge < margin) count(border, nearest(image, x, y));
      else if (edge >= quarter) count(middle, nearest(image, x, y));
    }
  }
  const background = /** @type {string} */ (mostFrequent(border));
  middle.delete(background);
  return { background, shape: mostFrequent(middle) };
}

/**
 * @param {Image} image
 * @param {number} x
 * @param {number} y
 */
function nearest({ width, data }, x, y) {
  const at = 3 * (y * width + x);
  const distance = (/** @type {readonly number[]} */ colour) =>
    colour.reduce((sum, value, c) => sum + (value - Number(data[at + c])) ** 2, 0);
  const [first] = Object.entries(palette).sort(([, a], [, b]) => distance(a) - distance(b));
  return /** @type {[string, unknown]} */ (first)[0];
}

/**
 * @param {Map<string, number>} counts
 * @param {string} name
 */
function count(counts, name) {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

/** @param {Map<string, number>} counts */
function mostFrequent(counts) {
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}
