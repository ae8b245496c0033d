import { z } from 'zod';

/*
 * Fields of Hugging Face config files. A key that is absent has the library's default, and the
 * default is checked like a written value: `prefault`. Bounds keep a hostile config from asking
 * for a list of a billion layers.
 */

/** A size: channels, tokens, pixels. */
export const size = z.int().min(1).max(1_048_576);
/** How often something repeats. */
export const repeats = z.int().min(1).max(512);
/** A small positive number, such as an epsilon. */
export const epsilon = z.number().positive().max(1);
/** A token of the vocabulary. */
export const tokenId = z.int().min(0).max(1_048_576);
/** Channels, one a level. */
export const channels = z.array(size).min(1).max(16);

/** A switch whose other values the networks here do not have. */
export function only<T extends string | number | boolean | null>(value: T) {
  return z.literal(value).prefault(value as never);
}

/** A switch that Karlo sets away from the library's default, which is refused. */
export function must<T extends string | boolean>(value: T, libraryDefault: unknown) {
  return z.literal(value).prefault(libraryDefault as never);
}
