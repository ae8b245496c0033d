import type { Pixels } from './pixels.js';

/**
 * How much of a new pixel is seen where a mask repaints a part of an image: 1 in the part, 0 farther than
 * `feather` pixels away from it, and in between falling with the distance.
 * @param mask 1 where the image is repainted, `edge * edge` values
 */
export function featheredAlpha(mask: Uint8Array, edge: number, feather: number): Float32Array {
  const squares = squaredDistances(mask, edge);
  return Float32Array.from(squares, (square) => Math.max(0, 1 - Math.sqrt(square) / (feather + 1)));
}

/** New pixels over kept ones. Where alpha is 0, the bytes are the kept ones. */
export function paste(
  { width, height, data }: Pixels,
  kept: Uint8Array,
  alpha: Float32Array,
): Pixels {
  const result = data.map((value, i) => {
    const old = kept[i] as number;
    return Math.round(old + (alpha[Math.floor(i / 3)] as number) * (value - old));
  });
  return { width, height, data: result };
}

/** The squared distance of each pixel to the nearest one of the mask (Felzenszwalb & Huttenlocher 2012). */
function squaredDistances(mask: Uint8Array, edge: number): Float64Array {
  const grid = Float64Array.from(mask, (one) => (one === 1 ? 0 : far));
  const line = (start: number, stride: number) => {
    const values = Float64Array.from(
      { length: edge },
      (_, i) => grid[start + i * stride] as number,
    );
    for (const [i, value] of lowerEnvelope(values).entries()) grid[start + i * stride] = value;
  };
  for (let i = 0; i < edge; i++) line(i, edge);
  for (let i = 0; i < edge; i++) line(i * edge, 1);
  return grid;
}

/** Farther than any pixel, and finite, because parabolas are subtracted. */
const far = 1e9;

/** The minimum over all q of (p - q)^2 + values[q], for each p. */
function lowerEnvelope(values: Float64Array): Float64Array {
  const sites: number[] = [];
  const starts: number[] = [];
  for (let q = 0; q < values.length; q++) {
    let start = Number.NEGATIVE_INFINITY;
    while (sites.length > 0) {
      start = intersection(values, sites.at(-1) as number, q);
      if (start > (starts.at(-1) as number)) break;
      sites.pop();
      starts.pop();
      start = Number.NEGATIVE_INFINITY;
    }
    sites.push(q);
    starts.push(start);
  }
  let k = 0;
  return values.map((_, p) => {
    while (k + 1 < sites.length && (starts[k + 1] as number) < p) k += 1;
    const site = sites[k] as number;
    return (p - site) ** 2 + (values[site] as number);
  });
}

/** Where the parabola at q becomes lower than the one at an earlier site. */
function intersection(values: Float64Array, site: number, q: number): number {
  const difference = (values[q] as number) + q ** 2 - ((values[site] as number) + site ** 2);
  return difference / (2 * (q - site));
}
