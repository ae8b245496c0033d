/** All results in order. If one fails, the others are disposed and the error is thrown. */
export async function allOrDispose<T>(
  work: readonly Promise<T>[],
  resource: (result: T) => Disposable,
): Promise<T[]> {
  try {
    return await Promise.all(work);
  } catch (error) {
    for (const result of await Promise.allSettled(work)) {
      if (result.status === 'fulfilled') resource(result.value)[Symbol.dispose]();
    }
    throw error;
  }
}
