import { types } from 'node:util';

/** Identifies the kind of error in programs. docs/guide/troubleshooting.md explains each code. */
export type KarloErrorCode =
  | 'ERR_KARLO_INVALID_ARGUMENT'
  | 'ERR_KARLO_MODEL_NOT_FOUND'
  | 'ERR_KARLO_MODEL_CORRUPT'
  | 'ERR_KARLO_LIBTORCH_MISSING'
  | 'ERR_KARLO_LIBTORCH_VERSION'
  | 'ERR_KARLO_SETUP'
  | 'ERR_KARLO_ADDON_MISSING'
  | 'ERR_KARLO_PACKAGE_MISSING'
  | 'ERR_KARLO_WRITE'
  | 'ERR_KARLO_DOWNLOAD'
  | 'ERR_KARLO_DEVICE_UNAVAILABLE'
  | 'ERR_KARLO_OUT_OF_MEMORY'
  | 'ERR_KARLO_TOO_MANY_FILES'
  | 'ERR_KARLO_QUEUE'
  | 'ERR_KARLO_DISPOSED'
  | 'ERR_KARLO_UNSAFE'
  | 'ERR_KARLO_ABORTED'
  | 'ERR_KARLO_NATIVE';

/** The type of every error of this package. The message says what was expected, what was received, and how to fix it. */
export class KarloError extends Error {
  /** Always `KarloError`. */
  override readonly name = 'KarloError';
  /** Identifies the kind of error. */
  readonly code: KarloErrorCode;
  /**
   * The argument or option that is wrong, if it is known.
   * @internal
   */
  declare readonly argument?: string;

  constructor(code: KarloErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

interface ErrorDetails {
  cause?: unknown;
  /** The argument or option that is wrong. */
  argument?: string;
}

/** An ERR_KARLO_INVALID_ARGUMENT. The message says what was expected, what was received, and how to fix it. */
export function invalidArgument(message: string, details: ErrorDetails = {}): KarloError {
  const { argument, ...options } = details;
  const error = new KarloError('ERR_KARLO_INVALID_ARGUMENT', message, options);
  // Not enumerable, so that a printed error does not show it.
  return Object.defineProperty(error, 'argument', { value: argument });
}

/**
 * An ERR_KARLO_INVALID_ARGUMENT: `Expected WHAT for NAME but received VALUE: FIX`.
 * @param fix how to fix it, if the rest does not say so
 */
export function expected(what: string, name: string, received: unknown, fix?: string): KarloError {
  const message = `Expected ${what} for ${name} but received ${describe(received)}`;
  return invalidArgument(fix === undefined ? message : `${message}: ${fix}`, { argument: name });
}

/** Describes a value in an error message, truncated if it is long. */
export function describe(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (Array.isArray(value))
    return `an array of ${value.length} element${value.length === 1 ? '' : 's'}`;
  if (typeof value === 'object') return `a value of type ${value.constructor?.name ?? 'object'}`;
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'function') return 'a function';
  return typeof value === 'bigint' ? `${value}n` : String(value);
}

/** Quotes a text, truncated if it is long. */
export function quote(text: string): string {
  return `'${text.length > 60 ? `${text.slice(0, 60)}…` : text}'`;
}

interface CodedError extends Error {
  code: KarloErrorCode;
}

function isCoded(error: unknown): error is CodedError {
  // Not instanceof: in Jest, the addon's errors are of another realm.
  return types.isNativeError(error) && String((error as CodedError).code).startsWith('ERR_KARLO_');
}

/** Turns an error of the addon into a KarloError. Returns any other error unchanged. */
export function asKarloError(error: unknown): unknown {
  if (error instanceof KarloError || !isCoded(error)) return error;
  return new KarloError(error.code, error.message, { cause: error.cause });
}

/** A function of the public API: the innermost frame of this package in an error's stack. */
export type PublicFunction = (...args: never[]) => unknown;

/** Calls the addon and turns its errors into KarloErrors. */
export function guarded<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw asKarloError(error);
  }
}

/**
 * Like `guarded`, for an asynchronous call. A rejection has an empty stack, so the stack is captured
 * before the call.
 * @param entry the public function that was called; frames above it are omitted from the stack
 */
export async function guardedAsync<T>(entry: PublicFunction, call: () => Promise<T>): Promise<T> {
  const caller: { stack?: string } = {};
  Error.captureStackTrace(caller, entry);
  try {
    return await call();
  } catch (raw) {
    const error = asKarloError(raw);
    if (error instanceof KarloError) error.stack = withStackOf(error, caller.stack);
    throw error;
  }
}

function withStackOf(error: KarloError, stack: string | undefined): string {
  const frames = stack?.slice(stack.indexOf('\n') + 1) ?? '';
  return `${error.name}: ${error.message}\n${frames}`;
}
