import { expect } from 'vitest';
import { KarloError } from '../lib/errors.js';
import { type ResolveContext, resolveTextToImage } from '../lib/options/generation.js';

/** The message with which options are refused, as an invalid argument. */
export function refusal(options: unknown, context?: ResolveContext): string {
  return fault(() => resolveTextToImage('a heart', options, context));
}

export function fault(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(KarloError);
    expect((error as KarloError).code).toBe('ERR_KARLO_INVALID_ARGUMENT');
    return (error as KarloError).message;
  }
  throw new Error('nothing was refused');
}
