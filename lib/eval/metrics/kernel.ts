import { expected } from '../../errors.js';
import { integer } from '../../options/validate.js';
import type { Prng } from '../../util/prng.js';
import { checkBootstrap, drawWeights, mean, standardDeviation, toEstimate } from './bootstrap.js';
import type { BootstrapOptions, Estimate } from './estimate.js';
import { compute, toMatrix } from './linear-algebra.js';

/** The settings of the kernel distance, which torch-fidelity and clean-fid have, too. */
export interface KernelOptions extends BootstrapOptions {
  /** How many pairs of subsets are averaged, 100 by default. One if a subset is all of both sets. */
  readonly subsets?: number | undefined;
  /** Features of each set in a subset, 1000 by default; at most all of the smaller set. */
  readonly subsetSize?: number | undefined;
}

/** A kernel distance, and how far its subsets are apart. */
export interface KernelEstimate extends Estimate {
  /** The standard deviation over the subsets, which torch-fidelity reports. */
  readonly subsetDeviation: number;
  /** How many pairs of subsets were averaged. */
  readonly subsets: number;
  /** Features of each set in a subset. */
  readonly subsetSize: number;
}

type Rows = readonly Float32Array[];

/**
 * The kernel distance (KID) of two sets of features: the squared maximum mean discrepancy with the kernel
 * (x · y / D + 1)³, unbiased, as a mean over random subsets (Bińkowski et al. 2018, section 4). Can be negative.
 * @param features one row of D values for each image, at least 2
 * @param reference rows of the reference images; statistics are not enough
 * @param options.replicates 200 by default
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
 */
export async function kernelDistance(
  features: Rows,
  reference: Rows,
  options: KernelOptions = {},
): Promise<KernelEstimate> {
  const { replicates, prng, signal } = checkBootstrap(options, 200, ['subsets', 'subsetSize']);
  requireRows(features, reference);
  const most = Math.min(features.length, reference.length);
  const size = Math.min(integer(options.subsetSize, [2, 100_000], 'subsetSize', 1000), most);
  const all = size === Math.max(features.length, reference.length);
  const subsets = all ? 1 : integer(options.subsets, [1, 100_000], 'subsets', 100);
  // The first row is the set of images itself.
  const weights = [
    new Float64Array(features.length).fill(1),
    ...Array.from({ length: replicates }, () => drawWeights(features.length, prng)),
  ];
  const distances: Float64Array[] = [];
  for (let i = 0; i < subsets; i++) {
    const own = choose(features.length, size, prng);
    using x = toMatrix(own.map((row) => features[row] as Float32Array));
    using y = toMatrix(
      choose(reference.length, size, prng).map((row) => reference[row] as Float32Array),
    );
    using w = toMatrix(weights.map((one) => own.map((row) => one[row] as number)));
    using results = await compute('kernel_replicates', [x, y, w], signal);
    distances.push(results.toTypedArray());
  }
  const values = distances.map((one) => one[0] as number);
  const means = weights.map((_, row) => mean(distances.map((one) => one[row] as number)));
  return {
    ...toEstimate(mean(values), means.slice(1).filter(Number.isFinite)),
    subsetDeviation: standardDeviation(values, values.length),
    subsets,
    subsetSize: size,
  };
}

/** Some of the first `count` integers, in random order (Durstenfeld 1964). */
function choose(count: number, some: number, prng: Prng): number[] {
  const indices = Array.from({ length: count }, (_, i) => i);
  for (let i = 0; i < some; i++) {
    const other = i + prng.below(count - i);
    [indices[i], indices[other]] = [indices[other] as number, indices[i] as number];
  }
  return indices.slice(0, some);
}

function requireRows(features: Rows, reference: Rows): void {
  if (features.length < 2) throw expected('at least 2 features', 'features', features.length);
  if (reference.length < 2) throw expected('at least 2 features', 'reference', reference.length);
  const [own, other] = [features[0]?.length, reference[0]?.length];
  if (own === other) return;
  throw expected(`${own} dimensions`, 'reference', other, 'Compute both with the same network');
}
