import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { KarloError } from '../errors.js';
import { type ImageFormat, imageFormats } from '../images/encode.js';
import { makeFolder } from '../util/make-folder.js';

/** A picture to be made, and where it goes. */
export interface Target {
  readonly source: number;
  readonly seed: number;
  readonly file: string;
}

interface Output {
  /** As the user gave it. */
  readonly path: string;
  readonly format: ImageFormat;
}

/**
 * Where each picture goes: `a-red-heart-0.png` in the folder, or the file that was named.
 * @param names of the prompts or pictures. Equal ones become `name`, `name-2`, …
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for one file name and several pictures, or seeds that are equal
 */
export function targetsOf(
  names: readonly string[],
  seeds: readonly number[],
  { path, format }: Output,
): Target[] {
  const pairs = names.flatMap((_, source) => seeds.map((seed) => ({ source, seed })));
  if (!isFolder(path)) {
    if (pairs.length === 1) return [{ ...(pairs[0] as (typeof pairs)[0]), file: path }];
    throw wrong(`a folder for --output with ${pairs.length} pictures but received '${path}'`);
  }
  if (new Set(seeds).size < seeds.length) {
    throw wrong(`different seeds for --seed, as files are named after them, but received ${seeds}`);
  }
  const slugs = distinct(names.map(slugOf));
  return pairs.map(({ source, seed }) => {
    const file = join(path, `${slugs[source]}-${seed}.${format}`);
    return { source, seed, file };
  });
}

/** Where the grid goes: beside the first picture. */
export function gridFileOf([first]: readonly Target[]): string {
  const { file } = first as Target;
  const extension = extname(file);
  return join(dirname(file), `${basename(file, extension)}-grid${extension}`);
}

function isFolder(path: string): boolean {
  if (/[\\/]$/.test(path)) return true;
  const isThere = existsSync(path);
  if (isThere && statSync(path).isDirectory()) return true;
  if (namesPicture(path)) return false;
  if (extname(path) === '' && !isThere) return true;
  throw wrong(
    `a file name that ends in .${imageFormats.join(', .')}, or a folder with / at its end, for --output but received '${path}'`,
  );
}

/** Whether a path ends as pictures do that can be written. */
export function namesPicture(path: string): boolean {
  return (imageFormats as readonly string[]).includes(extname(path).slice(1).toLowerCase());
}

/** Of up to four bytes each: with a seed, a number and an extension, names have 255 bytes. */
const mostCharacters = 50;

/** A text as a file name. */
function slugOf(text: string): string {
  const words = text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? ['picture'];
  return [...words.join('-')].slice(0, mostCharacters).join('').replace(/-$/, '');
}

/** Of equal names the first stays; the others get the first number that no name has. */
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

/** Makes the folders of files; throws where one cannot be written to. */
export function prepareFolders(files: readonly string[]): void {
  for (const folder of new Set(files.map((file) => dirname(resolve(file))))) {
    try {
      makeFolder(folder);
      accessSync(folder, constants.W_OK);
    } catch (cause) {
      const message = `Cannot write in ${folder}: ${reason(cause as NodeJS.ErrnoException)}. Choose another folder with --output`;
      throw new KarloError('ERR_KARLO_WRITE', message, { cause });
    }
  }
}

function reason({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'EACCES' || code === 'EPERM') return 'no permission';
  if (code === 'EROFS') return 'it is read-only';
  if (code === 'ENOTDIR' || code === 'EEXIST') return 'a part of the path is no folder';
  return message;
}

/** Throws for the first file that is there already. */
export function refuseTaken(files: readonly string[]): void {
  const taken = files.find((file) => existsSync(file));
  if (taken !== undefined) {
    throw wrong(`a new file but ${taken} is there already: pass --force to overwrite it`);
  }
}

function wrong(what: string): KarloError {
  return new KarloError('ERR_KARLO_INVALID_ARGUMENT', `Expected ${what}`);
}
