import { KarloError } from '../../errors.js';

/** An ERR_KARLO_DOWNLOAD. The message says what could not be downloaded and how to fix it. */
export function downloadError(message: string, cause?: unknown): KarloError {
  return new KarloError('ERR_KARLO_DOWNLOAD', message, cause === undefined ? {} : { cause });
}

/** A failure that may not occur again, such as a dropped connection or a busy server. */
export class TransientError extends Error {
  override readonly name = 'TransientError';
  /** Milliseconds to wait, as requested by the server. */
  readonly retryAfter: number | undefined;

  constructor(message: string, options: { cause?: unknown; retryAfter?: number | undefined } = {}) {
    super(message, options);
    this.retryAfter = options.retryAfter;
  }
}
