/** What a finding is about. */
export type FindingPart = 'operators' | 'networks' | 'images' | 'reference';

/** The result of one comparison. */
export interface Finding {
  readonly part: FindingPart;
  /** The network, the operators or the images that were compared. */
  readonly subject: string;
  /** What was compared with what, such as `float32 against float64`. */
  readonly comparison: string;
  readonly verdict: 'ok' | 'failed' | 'skipped';
  /** The errors; absent if nothing was computed. */
  readonly errors?: Errors;
  readonly bound?: Bound;
  /** Why the comparison was skipped, or could not be computed. */
  readonly reason?: string;
}

/**
 * The largest and the mean absolute difference: of networks relative to the largest magnitude of the
 * expected output, of images in levels of 0 to 255. NaN and Infinity occur.
 */
export interface Errors {
  readonly max: number;
  readonly mean: number;
}

/** The limit of one of the errors, inclusive. */
export interface Bound {
  readonly of: keyof Errors;
  readonly value: number;
}

/** What a finding compares. */
export type Comparison = Pick<Finding, 'part' | 'subject' | 'comparison'>;

/** Whether the errors are within their bound. NaN is not. */
export function judge(comparison: Comparison, errors: Errors, bound: Bound): Finding {
  const verdict = errors[bound.of] <= bound.value ? 'ok' : 'failed';
  return { ...comparison, verdict, errors, bound };
}

/**
 * Computes a finding. A comparison that cannot be computed has failed; the others continue.
 * @param signal an abort is thrown
 */
export async function findingOf(
  comparison: Comparison,
  bound: Bound,
  signal: AbortSignal,
  work: () => Promise<Errors>,
): Promise<Finding> {
  try {
    return judge(comparison, await work(), bound);
  } catch (error) {
    signal.throwIfAborted();
    return { ...comparison, verdict: 'failed', bound, reason: (error as Error).message };
  }
}

/** The differences of two lists of numbers, relative to the largest magnitude of the expected ones. */
export function relativeErrors(actual: Float64Array, expected: Float64Array): Errors {
  const largest = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  const { max, mean } = absoluteErrors(actual, expected);
  const scale = largest > 0 ? largest : 1;
  return { max: max / scale, mean: mean / scale };
}

/** The differences of two lists of numbers. */
export function absoluteErrors(actual: Values, expected: Values): Errors {
  if (actual.length !== expected.length) {
    throw new Error(`Expected ${expected.length} values but received ${actual.length}`);
  }
  let [max, sum] = [0, 0];
  for (let i = 0; i < actual.length; i += 1) {
    const difference = Math.abs((actual[i] as number) - (expected[i] as number));
    // Keeps a NaN.
    max = Math.max(max, difference);
    sum += difference;
  }
  return { max, mean: sum / actual.length };
}

/** The larger one of each error. */
export function largestErrors(all: readonly Errors[]): Errors {
  return {
    max: Math.max(...all.map(({ max }) => max)),
    mean: Math.max(...all.map(({ mean }) => mean)),
  };
}

type Values = Float64Array | Uint8Array;
