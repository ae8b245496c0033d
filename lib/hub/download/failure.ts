import { KarloError } from '../../errors.js';

/** An ERR_KARLO_DOWNLOAD: what could not be fetched, and what to do about it. */
export function downloadError(message: string, cause?: unknown): KarloError {
  return new KarloError('ERR_KARLO_DOWNLOAD', message, cause === undefined ? {} : { cause });
}

/** A failure that may pass by itself: a dropped connection, a server that is busy. */
export class Passing extends Error {
  override readonly name = 'Passing';
  /** Milliseconds that the server asks for. */
  readonly retryAfter: number | undefined;

  constructor(message: string, options: { cause?: unknown; retryAfter?: number | undefined } = {}) {
    super(message, options);
    this.retryAfter = options.retryAfter;
  }
}

/** The words of the innermost cause: fetch's own say only that it failed. */
export function reasonOf(error: unknown): string {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  if (inner instanceof AggregateError && inner.errors[0] instanceof Error) inner = inner.errors[0];
  return inner instanceof Error ? inner.message : String(inner);
}
