import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { npyHeader } from '../../../lib/eval/metrics/npy.js';
import { statisticsOf } from '../../../lib/eval/metrics/statistics.js';
import { readStatistics, writeStatistics } from '../../../lib/eval/metrics/statistics-file.js';
import { withFile } from '../../../lib/weights/source.js';
import { openZip, readRecord } from '../../../lib/weights/zip.js';
import { zip } from '../../fixtures/torch-writer.js';
import { expectCode, expectCorrupt } from '../../support/expect-error.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { featuresOf, goldenPath, readGolden } from '../goldens.js';

const folder = temporaryFolder();
const golden = readGolden<{ mu: number[]; sigma: number[][] }>('statistics.json');

/** The records of a file without compression. */
function recordsOf(path: string): Promise<Map<string, Buffer>> {
  return withFile(path, async (source) => {
    const archive = await openZip(source);
    const pairs = [...archive.records.values()].map(
      async (record) => [record.name, await readRecord(archive, record, 1e6)] as const,
    );
    return new Map(await Promise.all(pairs));
  });
}

/** A file with these arrays. */
async function write(name: string, records: Record<string, Buffer>): Promise<string> {
  const path = join(folder, name);
  writeFileSync(path, await zip(Object.entries(records)));
  return path;
}

const array = (shape: number[], values: ArrayLike<number>) =>
  Buffer.concat([npyHeader(shape, '<f8'), Buffer.from(Float64Array.from(values).buffer)]);

describe('reading statistics', () => {
  test.each(['statistics.npz', 'statistics-stored.npz'])("reads numpy's %s", async (name) => {
    const { mean, covariance, features } = await readStatistics(goldenPath(name));
    expect([...mean]).toEqual(golden.mu);
    expect([...covariance]).toEqual(golden.sigma.flat());
    expect(features).toBeUndefined();
  });

  test('rejects a file without mu and sigma, and arrays that do not match', async () => {
    const mu = array([2], [1, 2]);
    await expectCorrupt(
      async () => readStatistics(await write('other.npz', { 'arr_0.npy': mu })),
      /mu and sigma, as pytorch-fid writes them/,
    );
    const wide = { 'mu.npy': mu, 'sigma.npy': array([3, 3], new Array(9)) };
    await expectCorrupt(
      async () => readStatistics(await write('wide.npz', wide)),
      /\[2, 2\] for sigma/,
    );
    const nan = { 'mu.npy': mu, 'sigma.npy': array([2, 2], [1, 0, 0, Number.NaN]) };
    await expectCorrupt(async () => readStatistics(await write('nan.npz', nan)), 'finite numbers');
  });

  test('rejects other dtypes, lengths and bytes', async () => {
    const sigma = array([1, 1], [1]);
    const good = array([1], [1]);
    const broken = {
      text: Buffer.from('not an array'),
      empty: Buffer.alloc(0),
      object: Buffer.from(good.toString('latin1').replace('<f8', '|O8'), 'latin1'),
      short: good.subarray(0, good.length - 1),
      huge: Buffer.from(good.toString('latin1').replace('(1,)', '(9999999999999999,)'), 'latin1'),
      header: Buffer.from(good.subarray(0, 20)),
    };
    for (const [name, mu] of Object.entries(broken)) {
      const path = await write(`${name}.npz`, { 'mu.npy': mu, 'sigma.npy': sigma });
      await expectCorrupt(() => readStatistics(path), 'mu');
    }
  });

  test('rejects a file that does not exist', async () => {
    await expectCode('ERR_KARLO_MODEL_NOT_FOUND', () => readStatistics(join(folder, 'none.npz')));
  });
});

describe('writing statistics', () => {
  test('gives a file that reads back, with features', async () => {
    const features = featuresOf('written', 5, [7, 1, 0]);
    const statistics = { ...statisticsOf(features), features };
    const path = join(folder, 'written.npz');
    await writeStatistics(path, statistics);
    expect(await readStatistics(path)).toEqual(statistics);
    await writeStatistics(path, statisticsOf(features));
    expect(await readStatistics(path)).toEqual(statisticsOf(features));
  });

  test("has the records of numpy's savez, byte by byte", async () => {
    const path = join(folder, 'numpy.npz');
    const { mean, covariance } = await readStatistics(goldenPath('statistics-stored.npz'));
    await writeStatistics(path, { mean, covariance });
    const [own, numpy] = [
      await recordsOf(path),
      await recordsOf(goldenPath('statistics-stored.npz')),
    ];
    expect([...own.keys()]).toEqual(['mu.npy', 'sigma.npy']);
    expect(own.get('mu.npy')).toEqual(numpy.get('mu.npy'));
    // numpy's has the columns first.
    expect(own.get('sigma.npy')?.length).toBe(numpy.get('sigma.npy')?.length);
    const first = readFileSync(path);
    await writeStatistics(path, { mean, covariance });
    expect(readFileSync(path)).toEqual(first);
  });

  test('leaves nothing in a folder that it cannot write to', async () => {
    const path = join(folder, 'missing', 'file.npz');
    const statistics = statisticsOf(featuresOf('unwritten', 2, [3, 1, 0]));
    await expectCode('ERR_KARLO_WRITE', () => writeStatistics(path, statistics));
    expect(existsSync(path)).toBe(false);
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});
