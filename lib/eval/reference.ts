import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { dirname, extname, join, resolve } from 'node:path';
import { invalidArgument } from '../errors.js';
import { formatOfFile } from '../images/formats.js';
import { cacheFolder } from '../util/environment.js';
import { whyUnreadable } from '../util/file-errors.js';
import { FeatureStatistics } from './metrics/statistics.js';
import {
  type ReferenceStatistics,
  readStatistics,
  writeStatistics,
} from './metrics/statistics-file.js';
import type { Scorer } from './scorer.js';

/** Where a reference comes from. */
export type ReferenceSource =
  | { readonly kind: 'statistics'; readonly file: string }
  | { readonly kind: 'images'; readonly folder: string; readonly files: readonly string[] };

/** Features that are kept for KID, which compares subsets of 1000: 80 MB of Inception's. */
const maxFeatures = 10_000;

/**
 * Finds a reference: statistics as `.npz`, or a folder of images.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT if it does not exist, or has fewer than two images
 */
export async function findReference(path: string): Promise<ReferenceSource> {
  const found = await stat(path).catch((cause) => {
    const message = `Expected a folder of images or a .npz file for the reference but ${path}: ${whyUnreadable(cause)}`;
    throw invalidArgument(message, { cause });
  });
  if (!found.isDirectory()) {
    if (extname(path).toLowerCase() === '.npz') return { kind: 'statistics', file: path };
    const message = `Expected a folder of images or a .npz file for the reference but received ${path}`;
    throw invalidArgument(message);
  }
  const names = (await readdir(path)).filter((name) => formatOfFile(name) !== undefined).sort();
  if (names.length >= 2) {
    return { kind: 'images', folder: path, files: names.map((name) => join(path, name)) };
  }
  const count = names.length === 1 ? 'one' : 'none';
  const message = `Expected at least two images in ${path}, the reference, but it has ${count}`;
  throw invalidArgument(message);
}

/** How the statistics of a reference are computed. */
interface ReferencePass {
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

/**
 * The statistics of a reference. Those of a folder are cached in the user's cache folder, in a file that pytorch-fid
 * reads, too.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT if the statistics are of other features
 */
export async function referenceStatistics(
  source: ReferenceSource,
  scorer: Scorer,
  pass: ReferencePass,
): Promise<ReferenceStatistics> {
  if (source.kind === 'statistics') {
    return requireDimensions(await readStatistics(source.file), source.file, scorer);
  }
  const file = await cacheFile(source.files, scorer.fingerprint);
  if (existsSync(file)) return requireDimensions(await readStatistics(file), file, scorer);
  const computed = await statisticsOfImages(source.files, scorer, pass);
  await mkdir(dirname(file), { recursive: true });
  await writeStatistics(file, computed);
  return computed;
}

async function statisticsOfImages(
  files: readonly string[],
  scorer: Scorer,
  { signal, onProgress }: ReferencePass,
): Promise<ReferenceStatistics> {
  const statistics = new FeatureStatistics();
  const features: Float32Array[] = [];
  const step = Math.ceil(files.length / maxFeatures);
  for await (const feature of scorer.extract(files, signal)) {
    if (statistics.count % step === 0) features.push(feature);
    statistics.add(feature);
    onProgress(statistics.count, files.length);
  }
  return { ...statistics.gaussian(), features };
}

function requireDimensions(
  statistics: ReferenceStatistics,
  file: string,
  { features }: Scorer,
): ReferenceStatistics {
  const { length } = statistics.mean;
  if (length === features.dimensions) return statistics;
  const message = `Expected statistics of ${features.dimensions} dimensions, as ${features.name} has, in ${file} but received ${length}`;
  throw invalidArgument(message);
}

/** The name depends on the network, and on the names, sizes and times of the images. */
async function cacheFile(files: readonly string[], network: string): Promise<string> {
  const hash = createHash('sha256').update(network);
  for (const file of files) {
    const { size, mtimeMs } = await stat(file);
    hash.update(`\0${resolve(file)}\0${size}\0${mtimeMs}`);
  }
  const name = `${hash.digest('hex').slice(0, 32)}.npz`;
  return join(cacheFolder(process.env), 'references', name);
}
