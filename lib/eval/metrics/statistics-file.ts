import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import { cannotWrite } from '../../util/file-errors.js';
import { writeThenRename } from '../../util/files.js';
import { corrupt } from '../../weights/corrupt.js';
import { withFile } from '../../weights/source.js';
import { inflateRecord, openZip, type ZipArchive } from '../../weights/zip.js';
import { type NpyArray, npyHeader, parseNpy } from './npy.js';
import type { Gaussian } from './statistics.js';

/** The statistics of the images that others are compared with. */
export interface ReferenceStatistics extends Gaussian {
  /** One row for each image, which the kernel distance needs. pytorch-fid's files have none. */
  readonly features?: readonly Float32Array[] | undefined;
}

/** The largest array that is read: 262 144 features of 2048 dimensions. */
const maxBytes = 2 ** 31 - 1;

/**
 * Reads a `.npz` file of statistics, as pytorch-fid writes it: `mu` `[D]` and `sigma` `[D, D]`, compressed or not.
 * `features` `[N, D]` is read if the file has it.
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND if it cannot be read; ERR_KARLO_MODEL_CORRUPT
 */
export function readStatistics(path: string): Promise<ReferenceStatistics> {
  return withFile(path, async (source) => {
    const zip = await openZip(source);
    const mu = await readArray(zip, 'mu', 1);
    const sigma = await readArray(zip, 'sigma', 2);
    const [size = 0] = mu.shape;
    if (sigma.shape.some((one) => one !== size)) {
      throw corrupt(`shape [${size}, ${size}]`, 'sigma', path, sigma.shape);
    }
    const mean = Float64Array.from(mu.values);
    const covariance = Float64Array.from(sigma.values);
    for (const values of [mean, covariance]) {
      if (!values.every(Number.isFinite))
        throw corrupt('finite numbers', 'statistics', path, 'NaN');
    }
    if (!zip.records.has('features.npy')) return { mean, covariance };
    return { mean, covariance, features: toRows(await readArray(zip, 'features', 2), size, path) };
  });
}

async function readArray(zip: ZipArchive, name: string, dimensions: number): Promise<NpyArray> {
  const file = zip.source.name;
  const record = zip.records.get(`${name}.npy`);
  if (record === undefined) {
    throw corrupt('mu and sigma, as pytorch-fid writes them,', name, file, 'no such array');
  }
  const array = parseNpy(await inflateRecord(zip, record, maxBytes), name, file);
  if (array.shape.length === dimensions) return array;
  throw corrupt(`${dimensions} dimensions`, name, file, array.shape);
}

function toRows({ shape, values }: NpyArray, size: number, path: string): Float32Array[] {
  const [count = 0, width] = shape;
  if (width !== size) throw corrupt(`${size} columns`, 'features', path, width);
  const all = values instanceof Float32Array ? values : Float32Array.from(values);
  return Array.from({ length: count }, (_, i) => all.subarray(i * size, (i + 1) * size));
}

/**
 * Writes a `.npz` file that pytorch-fid reads, too: 34 MB for the 2048 dimensions of Inception, and 8 KB for each
 * row of features. Replaces an existing file once it is complete.
 * @throws {KarloError} ERR_KARLO_WRITE
 */
export async function writeStatistics(
  path: string,
  { mean, covariance, features }: ReferenceStatistics,
): Promise<void> {
  const size = mean.length;
  const file = new ZipFile();
  const add = (name: string, header: Buffer, rows: readonly (Float64Array | Float32Array)[]) => {
    const content = [
      header,
      ...rows.map(({ buffer, byteOffset, byteLength }) =>
        Buffer.from(buffer, byteOffset, byteLength),
      ),
    ];
    // A fixed time, so that equal statistics are equal files.
    const options = { compress: false, mtime: new Date(1980, 0, 1) };
    file.addReadStreamLazy(`${name}.npy`, options, (done) => done(null, Readable.from(content)));
  };
  add('mu', npyHeader([size], '<f8'), [mean]);
  add('sigma', npyHeader([size, size], '<f8'), [covariance]);
  if (features) add('features', npyHeader([features.length, size], '<f4'), features);
  file.end();
  try {
    await writeThenRename(path, (temporary) =>
      pipeline(file.outputStream, createWriteStream(temporary, { flags: 'wx' })),
    );
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
}
