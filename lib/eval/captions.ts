import { createHash } from 'node:crypto';
import { extname } from 'node:path';
import { describe, expected, invalidArgument } from '../errors.js';
import { maxPromptLength } from '../serve/protocol/limits.js';
import { linesOf, readText } from '../util/read-text.js';

/** A caption, of which one image is generated. */
export interface Caption {
  /** Names its image and determines its seed: the position in the file, from 0; of COCO, the id of its image. */
  readonly number: number;
  /** The prompt of the image. */
  readonly text: string;
}

/** COCO's captions of the training images have 67 MB. */
const maxBytes = 2 ** 28;

/**
 * Reads captions: COCO's JSON if the name ends in `.json`, a table if it ends in `.tsv`, and otherwise a text with one
 * caption per line.
 *
 * - A table has its captions in the column `caption`, `prompt` or `text` of its header, or without such a header in the
 *   first column, as Conceptual Captions (CC3M) does. Values are not quoted.
 * - Of COCO, an image's caption is the one with the lowest id, in the order of the images' ids.
 *
 * @param file a path, or `-` for a text on stdin
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT if it cannot be read, has no captions, or an empty one
 */
export async function readCaptions(file: string): Promise<Caption[]> {
  const text = await readText(file, { what: 'captions', maxBytes });
  const name = file === '-' ? 'stdin' : file;
  const captions = await parse(text, name);
  if (captions.length === 0) throw invalidArgument(`Expected captions in ${name} but it has none`);
  return captions;
}

async function parse(text: string, name: string): Promise<Caption[]> {
  switch (extname(name).toLowerCase()) {
    case '.json':
      return parseCoco(text, name);
    case '.tsv':
      return parseTable(text, name);
    default:
      return linesOf(text).map((line, number) => ({ number, text: line }));
  }
}

/** The columns that captions have in published tables: CC3M, PartiPrompts and DrawBench. */
const columns = ['caption', 'prompt', 'prompts', 'text'];

function parseTable(text: string, name: string): Caption[] {
  const rows = text
    .split(/\r\n?|\n/)
    .map((line, i) => ({ line: i + 1, cells: line.split('\t').map((cell) => cell.trim()) }))
    .filter(({ cells }) => cells.some((cell) => cell !== ''));
  const header = rows[0]?.cells.map((cell) => cell.toLowerCase()) ?? [];
  const column = header.findIndex((cell) => columns.includes(cell));
  const captions = column === -1 ? rows : rows.slice(1);
  return captions.map(({ line, cells }, number) => {
    const caption = cells[Math.max(0, column)] ?? '';
    if (caption !== '') return { number, text: caption };
    throw emptyCaption(name, `line ${line}`);
  });
}

async function parseCoco(text: string, name: string): Promise<Caption[]> {
  // zod takes 60 to 100 ms to import.
  const { z } = await import('zod');
  const id = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
  const annotation = z.object({ id, image_id: id, caption: z.string() });
  const { data, error } = z
    .object({ annotations: z.array(annotation) })
    .safeParse(parseJson(text, name));
  if (error !== undefined) {
    const [{ path, message } = { path: [], message: '' }] = error.issues;
    throw notCoco(name, `${path.join('.') || 'its value'} is invalid (${message})`);
  }
  const captions = new Map<number, string>();
  for (const { image_id, caption } of data.annotations.toSorted((a, b) => a.id - b.id)) {
    if (!captions.has(image_id)) captions.set(image_id, caption.trim());
  }
  return [...captions]
    .sort(([a], [b]) => a - b)
    .map(([number, caption]) => {
      if (caption !== '') return { number, text: caption };
      throw emptyCaption(name, `the image ${number}`);
    });
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw notCoco(name, `it is not JSON: ${(cause as Error).message}`, cause);
  }
}

function notCoco(name: string, reason: string, cause?: unknown) {
  const format = '{ "annotations": [{ "id", "image_id", "caption" }, …] }';
  const message = `Expected COCO's captions, ${format}, in ${name} but ${reason}`;
  return invalidArgument(message, { cause });
}

function emptyCaption(name: string, place: string) {
  return invalidArgument(`Expected a caption for ${place} of ${name} but it is empty`);
}

/**
 * Checks captions.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for an empty list, a text that is empty or too long, and two equal
 *   numbers
 */
export function requireCaptions(captions: readonly Caption[]): void {
  if (!Array.isArray(captions) || captions.length === 0) {
    throw expected('file, or non-empty array of captions', 'captions', captions);
  }
  const numbers = new Set<number>();
  for (const { number, text } of captions as readonly Caption[]) {
    const isNumber = Number.isSafeInteger(number) && number >= 0;
    if (!isNumber || numbers.has(number)) {
      throw expected('a different whole number for each caption', 'captions', number);
    }
    if (typeof text !== 'string' || text.trim() === '' || text.length > maxPromptLength) {
      const what = `a text of 1 to ${maxPromptLength} characters for caption ${number}`;
      throw invalidArgument(`Expected ${what} but received ${describe(text)}`);
    }
    numbers.add(number);
  }
}

/** The SHA-256 of captions, in hex, with which an output folder recognises them. */
export function hashOf(captions: readonly Caption[]): string {
  const hash = createHash('sha256');
  for (const { number, text } of captions) hash.update(`${number}\t${text}\n`);
  return hash.digest('hex');
}

/**
 * A subset that is spread over the list and always the same: the captions whose own SHA-256 is lowest. A larger limit
 * adds to a smaller one.
 */
export function limitTo(captions: readonly Caption[], limit = Number.POSITIVE_INFINITY): Caption[] {
  if (limit >= captions.length) return [...captions];
  return captions
    .map((caption) => ({ caption, hash: hashOf([caption]) }))
    .sort((a, b) => (a.hash < b.hash ? -1 : 1))
    .slice(0, limit)
    .map(({ caption }) => caption)
    .sort((a, b) => a.number - b.number);
}

/** One of several parts of equal size, for machines that share an output folder. */
export interface Shard {
  /** From 1. */
  readonly index: number;
  /** The number of parts. */
  readonly count: number;
}

/** The captions of a shard: every `count`-th. */
export function shardOf(captions: readonly Caption[], { index, count }: Shard): Caption[] {
  return captions.filter((_, i) => i % count === index - 1);
}
