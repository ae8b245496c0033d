import { FolderResults } from './folder.js';
import type { ResultStore } from './results.js';

/** Where pictures are kept. */
export interface ResultsOptions {
  /** A folder, or `s3://BUCKET/PREFIX`; else what `otherwise` opens. */
  place?: string | undefined;
  /** Seconds for which they are kept. */
  seconds: number;
}

/** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT where credentials are missing */
export async function openResults(
  { place, seconds }: ResultsOptions,
  otherwise: () => ResultStore,
): Promise<ResultStore> {
  if (place === undefined) return otherwise();
  if (!place.startsWith('s3://')) return new FolderResults(place, seconds);
  const { S3Results } = await import('./s3.js');
  return new S3Results({ address: place, seconds, environment: process.env });
}
