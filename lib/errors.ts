/** What went wrong, for programs. Each code is explained in the README, under troubleshooting. */
export type KarloErrorCode =
  | 'ERR_KARLO_INVALID_ARGUMENT'
  | 'ERR_KARLO_MODEL_NOT_FOUND'
  | 'ERR_KARLO_MODEL_CORRUPT'
  | 'ERR_KARLO_LIBTORCH_MISSING'
  | 'ERR_KARLO_LIBTORCH_VERSION'
  | 'ERR_KARLO_SETUP'
  | 'ERR_KARLO_ADDON_MISSING'
  | 'ERR_KARLO_WRITE'
  | 'ERR_KARLO_DOWNLOAD'
  | 'ERR_KARLO_DEVICE_UNAVAILABLE'
  | 'ERR_KARLO_OUT_OF_MEMORY'
  | 'ERR_KARLO_DISPOSED'
  | 'ERR_KARLO_ABORTED'
  | 'ERR_KARLO_NATIVE';

/** Every error of this package. The message says what was expected, what came, and what to do. */
export class KarloError extends Error {
  /** `KarloError`. */
  override readonly name = 'KarloError';
  /** What went wrong, for programs. */
  readonly code: KarloErrorCode;

  constructor(code: KarloErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** `Expected WHAT for NAME but received VALUE of type TYPE`, as an ERR_KARLO_INVALID_ARGUMENT. */
export function expected(what: string, name: string, received: unknown): KarloError {
  return new KarloError(
    'ERR_KARLO_INVALID_ARGUMENT',
    `Expected ${what} for ${name} but received ${describe(received)}`,
  );
}

/** A value as messages name it, cut where it is long. */
export function describe(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return `an array of ${value.length} elements`;
  if (typeof value === 'object') return `a value of type ${value.constructor?.name ?? 'object'}`;
  if (typeof value === 'string') return `${quote(value)} of type string`;
  if (typeof value === 'function') return 'a value of type function';
  return `${String(value)} of type ${typeof value}`;
}

/** A text in quotes, cut where it is long. */
export function quote(text: string): string {
  return `'${text.length > 60 ? `${text.slice(0, 60)}…` : text}'`;
}

interface CodedError extends Error {
  code: KarloErrorCode;
}

function isCoded(error: unknown): error is CodedError {
  return error instanceof Error && String((error as CodedError).code).startsWith('ERR_KARLO_');
}

/** An error of the addon or of a script as a KarloError; any other error as it is. */
export function asKarloError(error: unknown): unknown {
  if (error instanceof KarloError || !isCoded(error)) return error;
  return new KarloError(error.code, error.message, { cause: error.cause });
}

/** A function of the public face: the last frame that a caller sees of this package. */
export type PublicFunction = (...args: never[]) => unknown;

/** Calls the addon; its errors become KarloErrors with the caller's stack. */
export function guarded<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw asKarloError(error);
  }
}

/**
 * The same for a promise of the addon. A rejection arrives on an empty stack, so the stack of the
 * call is taken before it is made: `entry` is the public function that the caller sees last.
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
