import { dirname } from 'node:path';
import { stdoutFile } from './output-files.js';

/** An image of a command, which is written unless it was skipped. */
export interface WrittenImage {
  readonly file: string;
  readonly seed: number;
  /** Whether its file existed already. */
  readonly skipped: boolean;
}

/** What was written, with seeds and seconds: `Wrote heart.png (seed 5) in 3.2 s`. */
export function closingLine(
  images: readonly WrittenImage[],
  grid: { readonly skipped: boolean } | undefined,
  seconds: number,
): string {
  const written = images.filter(({ skipped }) => !skipped);
  const parts = [nameOf(written), grid && !grid.skipped ? 'a grid' : ''];
  const what = parts.filter((part) => part !== '').join(' and ');
  if (what === '')
    return `Wrote nothing: ${count(images.length)} ${images.length === 1 ? 'exists' : 'exist'} already`;
  const seeds = written.length === 0 ? '' : ` (${seedsOf(written)})`;
  const skipped = images.length - written.length;
  const rest = skipped === 0 ? '' : `, skipped ${count(skipped)} that existed already`;
  return `Wrote ${what}${seeds} in ${seconds.toFixed(1)} s${rest}`;
}

/** The same for an animation: `Wrote morph.webp (seed 5, 16 frames) in 3.2 s`. */
export function animationLine(
  file: string,
  frames: readonly { readonly seed: number }[],
  seconds: number,
): string {
  const what = `${seedsOf(frames)}, ${frames.length} frames`;
  return `Wrote ${file} (${what}) in ${seconds.toFixed(1)} s`;
}

function nameOf(written: readonly WrittenImage[]): string {
  const [first] = written;
  if (first === undefined) return '';
  if (written.length > 1) return `${count(written.length)} to ${dirname(first.file)}`;
  return first.file === stdoutFile ? 'the image to stdout' : first.file;
}

function count(images: number): string {
  return images === 1 ? '1 image' : `${images} images`;
}

/** `seed 5`, `seeds 5 to 8`, or a list that is cut if it is long. */
function seedsOf(written: readonly Pick<WrittenImage, 'seed'>[]): string {
  const seeds = [...new Set(written.map(({ seed }) => seed))];
  const [first = 0] = seeds;
  if (seeds.length === 1) return `seed ${first}`;
  if (seeds.every((seed, i) => seed === first + i)) return `seeds ${first} to ${seeds.at(-1)}`;
  return `seeds ${seeds.slice(0, 8).join(', ')}${seeds.length > 8 ? ', …' : ''}`;
}
