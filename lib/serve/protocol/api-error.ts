import { KarloError } from '../../errors.js';

/** `type` of an error in OpenAI's shape. */
export type ApiErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'permission_error'
  | 'not_found_error'
  | 'rate_limit_error'
  | 'server_error';

export interface ApiErrorOptions {
  /** The field of the request that is wrong, `decoder.steps`. */
  param?: string | undefined;
  /** Seconds after which another try makes sense. */
  retryAfter?: number;
  cause?: unknown;
}

/** An error that a client is told, with its HTTP status. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
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

  get type(): ApiErrorType {
    return types[this.status] ?? (this.status < 500 ? 'invalid_request_error' : 'server_error');
  }

  /** OpenAI's shape. */
  toBody() {
    const { message, type, param, code } = this;
    return { error: { message, type, param, code } };
  }
}

const types: Readonly<Record<number, ApiErrorType>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
};

export function invalid(param: string | undefined, message: string, code = 'invalid_value') {
  return new ApiError(400, code, message, { param });
}

export function busy(retryAfter: number): ApiError {
  const when = retryAfter === 1 ? 'in a second' : `in ${retryAfter} seconds`;
  const message = `Expected a free place in the queue but all are taken: try again ${when}`;
  return new ApiError(429, 'queue_full', message, { retryAfter });
}

export function unavailable(what: string, cause?: unknown): ApiError {
  return new ApiError(503, 'unavailable', what, { retryAfter: 5, cause });
}

/** What a client is told of any error. What is not the client's concern stays in the log. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (!(error instanceof KarloError)) return internal(error);
  if (error.code === 'ERR_KARLO_INVALID_ARGUMENT') {
    return new ApiError(400, 'invalid_value', error.message, { cause: error });
  }
  if (error.code === 'ERR_KARLO_OUT_OF_MEMORY') {
    const message = 'The pictures did not fit into memory: ask for fewer, or try again later';
    return new ApiError(503, 'out_of_memory', message, { retryAfter: 10, cause: error });
  }
  return internal(error);
}

function internal(cause: unknown): ApiError {
  const message = 'The server failed: its log has the reason, under the id in x-request-id';
  return new ApiError(500, 'internal_error', message, { cause });
}
