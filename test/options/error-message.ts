import { expect } from 'vitest';
import { KarloError } from '../../lib/errors.js';
import { type ResolveContext, resolveTextToImage } from '../../lib/options/resolve-generation.js';

/** The message of the ERR_KARLO_INVALID_ARGUMENT that invalid options cause. */
export function optionsError(options: unknown, context?: ResolveContext): string {
  return errorMessage(() => resolveTextToImage('a heart', options, context));
}

/** The message of the ERR_KARLO_INVALID_ARGUMENT that a call throws. */
export function errorMessage(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(KarloError);
    expect((error as KarloError).code).toBe('ERR_KARLO_INVALID_ARGUMENT');
    return (error as KarloError).message;
  }
  throw new Error('nothing was thrown');
}
