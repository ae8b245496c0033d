import type { Gaussian } from './statistics.js';

/** What a file of reference statistics holds. */
export interface ReferenceStatistics extends Gaussian {
  /** One row for each reference image, which the kernel distance needs. pytorch-fid's files have none. */
  readonly features?: readonly Float32Array[] | undefined;
}

/**
 * Reads a `.npz` file of statistics, as pytorch-fid writes it: `mu` `[D]` and `sigma` `[D, D]`, compressed or not.
 * `features` `[N, D]` is read if the file has it.
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND if it cannot be read; ERR_KARLO_MODEL_CORRUPT
 */
export async function readStatistics(path: string): Promise<ReferenceStatistics> {
  throw new Error('not yet');
}

/**
 * Writes a `.npz` file that pytorch-fid reads, too: 34 MB for the 2048 dimensions of Inception, and 8 KB for each
 * row of features. Replaces the file as a whole.
 * @throws {KarloError} ERR_KARLO_WRITE
 */
export async function writeStatistics(path: string, statistics: ReferenceStatistics): Promise<void> {
  throw new Error('not yet');
}
