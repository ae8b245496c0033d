import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { invalidArgument } from '../errors.js';
import { type ImageFormat, imageFormats } from '../images/formats.js';
import { alreadyExists, cannotWrite } from '../util/file-errors.js';
import { makeFolder } from '../util/files.js';

/** The name that stands for stdout instead of a file. */
export const stdoutFile = '-';

/** An image to generate, and its file. */
export interface Target {
  /** The index of its prompt or input image. */
  readonly source: number;
  readonly seed: number;
  readonly file: string;
}

/** Where images are written. */
export interface Output {
  /** As the user passed it: a folder, a file, or `-` for stdout. */
  readonly path: string;
  readonly format: ImageFormat;
  /** Whether the images are drafts, whose names in a folder end in `.draft.png`. */
  readonly isDraft: boolean;
}

/**
 * The file of each image: `a-red-heart-0.png` in the output folder, or the file that was named.
 * @param names of the prompts or input images. Equal ones become `name`, `name-2`, …
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for one file name and several images, or equal seeds
 */
export function targetsOf(
  names: readonly string[],
  seeds: readonly number[],
  output: Output,
): Target[] {
  const pairs = names.flatMap((_, source) => seeds.map((seed) => ({ source, seed })));
  if (!isFolder(output.path)) return [onlyTarget(pairs, output)];
  if (new Set(seeds).size < seeds.length) {
    throw invalidArgument(
      `Expected different seeds for --seed, because they are in the names of the files, but received ${seeds}`,
    );
  }
  const slugs = distinct(names.map(slugOf));
  const extension = extensionOf(output);
  return pairs.map(({ source, seed }) => {
    const file = join(output.path, `${slugs[source]}-${seed}.${extension}`);
    return { source, seed, file };
  });
}

/**
 * The file of each draft's image: `heart.png` of `heart.draft.png`, and `heart-finished.png` of `heart.png`.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for one file name and several drafts
 */
export function targetsOfDrafts(
  drafts: readonly { readonly file: string; readonly seed: number }[],
  output: Output,
): Target[] {
  const pairs = drafts.map(({ seed }, source) => ({ source, seed }));
  if (!isFolder(output.path)) return [onlyTarget(pairs, output)];
  const names = distinct(drafts.map(({ file }) => finishedName(file)));
  return pairs.map(({ source, seed }) => {
    const file = join(output.path, `${names[source]}.${output.format}`);
    return { source, seed, file };
  });
}

/**
 * The file of each frame of an interpolation, which are numbered from 1: `a-heart-to-a-star-01.png`.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for a file name
 */
export function targetsOfFrames(name: string, { count, seed }: Frames, output: Output): Target[] {
  const frames = Array.from({ length: count }, (_, source) => ({ source, seed }));
  if (!isFolder(output.path)) return [onlyTarget(frames, output)];
  const digits = `${count}`.length;
  return frames.map(({ source }) => {
    const number = `${source + 1}`.padStart(digits, '0');
    const file = join(output.path, `${slugOf(name)}-${number}.${output.format}`);
    return { source, seed, file };
  });
}

/** The frames of an interpolation: how many, and their seed. */
export interface Frames {
  readonly count: number;
  readonly seed: number;
}

/**
 * The file of an inversion: `photo.inversion.json` in the output folder, or the file that was named.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for stdout, and for a file name that does not end in `.json`
 */
export function inversionFileOf(image: string, output: string): string {
  if (output === stdoutFile) {
    throw invalidArgument("Expected a file or a folder for --output but received '-'");
  }
  if (!isFolder(output, ['json'])) return output;
  return join(output, `${basename(image, extname(image))}.inversion.json`);
}

/** The target of the file that the user named. */
function onlyTarget(pairs: readonly Omit<Target, 'file'>[], { path }: Output): Target {
  const [pair] = pairs;
  if (pair !== undefined && pairs.length === 1) return { ...pair, file: path };
  throw invalidArgument(
    `Expected a folder for --output with ${pairs.length} images but received '${path}'`,
  );
}

function extensionOf({ format, isDraft }: Output): string {
  return isDraft ? `draft.${format}` : format;
}

function finishedName(file: string): string {
  const name = basename(file, extname(file));
  return extname(name) === '.draft' ? basename(name, '.draft') : `${name}-finished`;
}

/** The file of the grid: next to the first image. */
export function gridFileOf([first]: readonly Target[]): string {
  const { file } = first as Target;
  const extension = extname(file);
  return join(dirname(file), `${basename(file, extension)}-grid${extension}`);
}

function isFolder(path: string, extensions: readonly string[] = imageFormats): boolean {
  if (path === stdoutFile) return false;
  if (/[\\/]$/.test(path)) return true;
  const exists = existsSync(path);
  if (exists && statSync(path).isDirectory()) return true;
  if (extensions.includes(extname(path).slice(1).toLowerCase())) return false;
  if (extname(path) === '' && !exists) return true;
  throw invalidArgument(
    `Expected a file name that ends in .${extensions.join(', .')}, or a folder that ends in /, for --output but received '${path}'`,
  );
}

/** Each has up to four bytes. With a seed, a number and an extension, a name stays within 255 bytes. */
const maxSlugCharacters = 50;

/** A text as part of a file name. */
function slugOf(text: string): string {
  const words = text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? ['picture'];
  return [...words.join('-')].slice(0, maxSlugCharacters).join('').replace(/-$/, '');
}

/** Of equal names, the first is kept; the others get the first number that no name has. */
function distinct(names: readonly string[]): string[] {
  const taken = new Set(names);
  const used = new Set<string>();
  return names.map((name) => {
    let own = name;
    for (let n = 2; used.has(own) || (own !== name && taken.has(own)); n++) own = `${name}-${n}`;
    used.add(own);
    return own;
  });
}

/**
 * Creates the folders of files.
 * @throws {KarloError} ERR_KARLO_WRITE for a folder that cannot be created or written to
 */
export function prepareFolders(files: readonly string[]): void {
  const paths = files.map((file) => resolve(file));
  for (const [folder, file] of new Map(paths.map((path) => [dirname(path), path]))) {
    try {
      makeFolder(folder);
      accessSync(folder, constants.W_OK);
    } catch (cause) {
      throw cannotWrite(file, cause, 'Use another folder: --output FOLDER');
    }
  }
}

/** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for the first file that exists */
export function requireNewFiles(files: readonly string[]): void {
  const existing = files.find((file) => existsSync(file));
  if (existing !== undefined) throw alreadyExists('file', existing, 'pass --force to overwrite it');
}
