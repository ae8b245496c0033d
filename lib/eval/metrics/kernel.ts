import type { BootstrapOptions, Estimate } from './estimate.js';

/** The settings of the kernel distance, which torch-fidelity and clean-fid have, too. */
export interface KernelOptions extends BootstrapOptions {
  /** How many pairs of subsets are averaged, 100 by default. One if both sets are as small as a subset. */
  readonly subsets?: number | undefined;
  /** Features of each set in a subset, 1000 by default, at most the smaller set. */
  readonly subsetSize?: number | undefined;
}

/** A kernel distance, and how far the subsets are apart. */
export interface KernelEstimate extends Estimate {
  /** The standard deviation over the subsets, which torch-fidelity reports. */
  readonly subsetDeviation: number;
  readonly subsets: number;
  readonly subsetSize: number;
}

/**
 * The kernel distance (KID) of two sets of features: the squared maximum mean discrepancy with the kernel
 * (x · y / D + 1)³, unbiased, as a mean over random subsets (Bińkowski et al. 2018, section 4). Can be negative.
 * @param features one row for each image, of D values
 * @param reference features of the reference images; statistics are not enough
 * @param options.replicates 200 by default
 */
export async function kernelDistance(
  features: readonly Float32Array[],
  reference: readonly Float32Array[],
  options?: KernelOptions,
): Promise<KernelEstimate> {
  throw new Error('not yet');
}
