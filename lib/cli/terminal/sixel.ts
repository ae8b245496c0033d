import type { Pixels } from '../../images/pixels.js';

// DEC's sixels, STD 070 chapter 9: bands of six rows, with a layer for each colour, whose characters are six pixels of a
// column each. The palette is a colour cube with most levels of green, which is most visible; error diffusion hides the
// missing colours.

const levels = [6, 7, 6] as const;

/** An RGB image as a sixel sequence. */
export function encodeSixel(image: Pixels): string {
  const { width, height } = image;
  const indices = quantise(image);
  const bands: string[] = [];
  for (let top = 0; top < height; top += 6) {
    bands.push(band(indices.subarray(top * width, (top + 6) * width), width));
  }
  return `\x1bP0;1q"1;1;${width};${height}${palette()}${bands.join('-')}\x1b\\`;
}

/** `#number;2;red;green;blue`, in percent. */
function palette(): string {
  const percent = (step: number, of: number) => Math.round((100 * step) / (of - 1));
  const [reds, greens, blues] = levels;
  let text = '';
  for (let i = 0; i < reds * greens * blues; i++) {
    const [r, g, b] = [Math.floor(i / greens / blues), Math.floor(i / blues) % greens, i % blues];
    text += `#${i};2;${percent(r, reds)};${percent(g, greens)};${percent(b, blues)}`;
  }
  return text;
}

/** The palette index of each pixel, with Floyd-Steinberg error diffusion. */
function quantise({ width, height, data }: Pixels): Uint8Array {
  const rest = Float32Array.from(data);
  const indices = new Uint8Array(width * height);
  for (let i = 0; i < rest.length; i++) {
    const steps = (levels[i % 3] as number) - 1;
    const pixel = Math.floor(i / 3);
    const step = Math.round((Math.min(255, Math.max(0, rest[i] as number)) / 255) * steps);
    indices[pixel] = (indices[pixel] as number) * (steps + 1) + step;
    diffuse(rest, i, (rest[i] as number) - (step / steps) * 255, pixel % width, width);
  }
  return indices;
}

function diffuse(rest: Float32Array, i: number, error: number, x: number, width: number): void {
  const below = i + 3 * width;
  const add = (at: number, sixteenths: number) => {
    if (at < rest.length) rest[at] = (rest[at] as number) + (error * sixteenths) / 16;
  };
  if (x + 1 < width) add(i + 3, 7);
  if (x > 0) add(below - 3, 3);
  add(below, 5);
  if (x + 1 < width) add(below + 3, 1);
}

/** Up to six rows, colour by colour; `$` returns to the left edge. */
function band(indices: Uint8Array, width: number): string {
  const layers = new Map<number, Uint8Array>();
  for (const [i, colour] of indices.entries()) {
    const layer = layers.get(colour) ?? new Uint8Array(width);
    layers.set(colour, layer);
    layer[i % width] = (layer[i % width] as number) | (1 << Math.floor(i / width));
  }
  return Array.from(layers, ([colour, layer]) => `#${colour}${runs(layer)}`).join('$');
}

/** `!count` before a character repeats it. */
function runs(layer: Uint8Array): string {
  let text = '';
  for (let start = 0; start < layer.length; ) {
    let end = start + 1;
    while (end < layer.length && layer[end] === layer[start]) end++;
    const character = String.fromCharCode(63 + (layer[start] as number));
    const length = end - start;
    text += length > 3 ? `!${length}${character}` : character.repeat(length);
    start = end;
  }
  return text;
}
