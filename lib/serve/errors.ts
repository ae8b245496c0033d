import { KarloError } from '../errors.js';
import { splitCase } from '../util/case.js';
import { explain } from '../util/explain.js';
import { isTooManyFiles } from '../util/open-files.js';

export interface ApiErrorOptions {
  /** The request field that is wrong, such as `decoder.steps`. */
  param?: string | undefined;
  /** Seconds after which the client should try again. */
  retryAfter?: number | undefined;
  cause?: unknown;
}

/** An error between a worker and a server. */
export interface ApiErrorJson {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly param: string | null;
  readonly retryAfter?: number | undefined;
}

/** An error that is sent to the client. `protocol/error-response.ts` gives it its shape. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status. */
  readonly status: number;
  readonly code: string;
  readonly param: string | null;
  readonly retryAfter: number | undefined;

  constructor(status: number, code: string, message: string, options: ApiErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.status = status;
    this.code = code;
    this.param = options.param ?? null;
    this.retryAfter = options.retryAfter;
  }

  static fromJSON({ status, code, message, param, retryAfter }: ApiErrorJson): ApiError {
    return new ApiError(status, code, message, { param: param ?? undefined, retryAfter });
  }

  toJSON(): ApiErrorJson {
    const { status, code, message, param, retryAfter } = this;
    return { status, code, message, param, retryAfter };
  }
}

export function badRequest(param: string | undefined, message: string, code = 'invalid_value') {
  return new ApiError(400, code, message, { param });
}

export function queueFull(retryAfter: number): ApiError {
  const when = retryAfter === 1 ? 'in a second' : `in ${retryAfter} seconds`;
  const message = `The queue is full. Try again ${when}`;
  return new ApiError(429, 'queue_full', message, { retryAfter });
}

export function unavailable(message: string, cause?: unknown): ApiError {
  return new ApiError(503, 'unavailable', message, { retryAfter: 5, cause });
}

export function storageFull(cause?: unknown): ApiError {
  const message = 'Redis has no room for more images. Try again later, or raise its maxmemory';
  return new ApiError(503, 'storage_full', message, { retryAfter: 30, cause });
}

/** Any error as one for the client. Internal details stay in the log. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (isTooManyFiles(error))
    return unavailable('The server has too many open files', explain(error));
  if (!(error instanceof KarloError)) return internalError(error);
  if (error.code === 'ERR_KARLO_INVALID_ARGUMENT') {
    const param = error.argument && splitCase(error.argument, '_');
    return new ApiError(400, 'invalid_value', error.message, { param, cause: error });
  }
  // As OpenAI's API answers.
  if (error.code === 'ERR_KARLO_UNSAFE') {
    return new ApiError(400, 'content_policy_violation', error.message, { cause: error });
  }
  if (error.code === 'ERR_KARLO_OUT_OF_MEMORY') {
    const message = 'The images did not fit into memory. Request fewer images, or try again later';
    return new ApiError(503, 'out_of_memory', message, { retryAfter: 10, cause: error });
  }
  return internalError(error);
}

function internalError(cause: unknown): ApiError {
  const message = 'The server failed. Its log has the reason, under the id in x-request-id';
  return new ApiError(500, 'internal_error', message, { cause });
}
