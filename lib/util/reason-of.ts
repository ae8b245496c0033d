/** The message of the innermost cause. fetch's own message says only that it failed. */
export function reasonOf(error: unknown): string {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  if (inner instanceof AggregateError && inner.errors[0] instanceof Error) inner = inner.errors[0];
  return inner instanceof Error ? inner.message : String(inner);
}

/** An error of this class among an error and its causes. */
export function causeOf<T extends Error>(
  error: unknown,
  type: abstract new (...args: never[]) => T,
): T | undefined {
  let inner = error;
  while (inner instanceof Error && !(inner instanceof type)) inner = inner.cause;
  return inner instanceof type ? inner : undefined;
}
