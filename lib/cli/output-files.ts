import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { invalidArgument } from '../errors.js';
import { formatOfFile, type ImageFormat, imageFormats } from '../images/formats.js';
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

interface Output {
  /** As the user passed it: a folder, a file, or `-` for stdout. */
  readonly path: string;
  readonly format: ImageFormat;
}

/**
 * The file of each image: `a-red-heart-0.png` in the output folder, or the file that was named.
 * @param names of the prompts or input images. Equal ones become `name`, `name-2`, …
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for one file name and several images, or equal seeds
 */
export function targetsOf(
  names: readonly string[],
  seeds: readonly number[],
  { path, format }: Output,
): Target[] {
  const pairs = names.flatMap((_, source) => seeds.map((seed) => ({ source, seed })));
  if (!isFolder(path)) {
    if (pairs.length === 1) return [{ ...(pairs[0] as (typeof pairs)[0]), file: path }];
    throw invalidArgument(
      `Expected a folder for --output with ${pairs.length} images but received '${path}'`,
    );
  }
  if (new Set(seeds).size < seeds.length) {
    throw invalidArgument(
      `Expected different seeds for --seed, because they are in the names of the files, but received ${seeds}`,
    );
  }
  const slugs = distinct(names.map(slugOf));
  return pairs.map(({ source, seed }) => {
    const file = join(path, `${slugs[source]}-${seed}.${format}`);
    return { source, seed, file };
  });
}

/** The file of the grid: next to the first image. */
export function gridFileOf([first]: readonly Target[]): string {
  const { file } = first as Target;
  const extension = extname(file);
  return join(dirname(file), `${basename(file, extension)}-grid${extension}`);
}

function isFolder(path: string): boolean {
  if (path === stdoutFile) return false;
  if (/[\\/]$/.test(path)) return true;
  const exists = existsSync(path);
  if (exists && statSync(path).isDirectory()) return true;
  if (formatOfFile(path) !== undefined) return false;
  if (extname(path) === '' && !exists) return true;
  throw invalidArgument(
    `Expected a file name that ends in .${imageFormats.join(', .')}, or a folder that ends in /, for --output but received '${path}'`,
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
