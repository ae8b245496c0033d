import { z } from 'zod';
import { readModelFile } from '../util/model-file.js';
import { corrupt } from '../weights/corrupt.js';
import { JsonReader } from '../weights/json.js';

/*
 * Fields of Hugging Face config files. `prefault` validates the library's default for a missing key like a given
 * value. The ranges prevent hostile configs from requesting a billion layers.
 */

/** A number of channels, tokens or pixels. */
export const size = z.int().min(1).max(1_048_576);
/** A number of layers or heads. */
export const repeats = z.int().min(1).max(512);
/** The epsilon of a norm. */
export const epsilon = z.number().positive().max(1);
/** The id of a token. */
export const tokenId = z.int().min(0).max(1_048_576);
/** Channels of each level. */
export const channels = z.array(size).min(1).max(16);

/** A key that supports only the library's default. */
export function only<T extends string | number | boolean | null>(value: T) {
  return z.literal(value).prefault(value as never);
}

/** A key that supports only one value, which is not the library's default. */
export function must<T extends string | boolean>(value: T, libraryDefault: unknown) {
  return z.literal(value).prefault(libraryDefault as never);
}

/**
 * Checks a file's value against a schema.
 * @throws {KarloError} ERR_KARLO_MODEL_CORRUPT with the key, the expected and the received value
 */
export function checkConfig<T>(schema: z.ZodType<T>, value: unknown, file: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0] as z.core.$ZodIssue;
  const key = issue.path.join('.') || 'config';
  throw corrupt(expectation(issue), key, file, received(value, issue), result.error);
}

/**
 * Reads a JSON file, which may start with a byte order mark.
 * @param signal rejects the promise at once
 * @throws {KarloError} ERR_KARLO_MODEL_CORRUPT for duplicate keys, a depth over 16, or over 1 MB
 */
export async function readJson(path: string, signal?: AbortSignal): Promise<unknown> {
  const bytes = await readModelFile(path, 'config', signal);
  const json = new JsonReader(bytes, path, 'JSON');
  json.skip();
  json.end();
  return JSON.parse(new TextDecoder().decode(bytes));
}

function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_value':
      return issue.values.map((value) => JSON.stringify(value)).join(' or ');
    case 'invalid_type':
      return issue.expected;
    case 'too_small':
      return `${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}`;
    case 'too_big':
      return `at most ${issue.maximum}`;
    default:
      return issue.message;
  }
}

function received(value: unknown, issue: z.core.$ZodIssue): string {
  let found: unknown = value;
  for (const key of issue.path) found = (found as Record<PropertyKey, unknown> | null)?.[key];
  return found === undefined ? 'no value' : JSON.stringify(found);
}
