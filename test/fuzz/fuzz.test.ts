import { expect, it } from 'vitest';
import { KarloError } from '../../lib/errors.js';
import { DTYPES } from '../../lib/weights/dtypes.js';
import type { WeightFile } from '../../lib/weights/types.js';
import { Prng } from '../support/prng.js';
import { mutate } from './mutate.js';
import { type Target, targets } from './targets.js';

/*
 * Short and with a fixed seed here; `npm run fuzz` takes longer and uses another seed. The seed of a failing input is in
 * the message.
 */
const SECONDS = Number(process.env.KARLO_FUZZ_SECONDS ?? 2.5);
const SEED = Number(process.env.KARLO_FUZZ_SEED ?? 0);
/** The most processor time for one input. */
const MAX_MILLISECONDS = 10_000;
const MAX_GROWTH = 512 * 1024 * 1024;

interface Count {
  accepted: number;
  rejected: number;
  slowest: number;
}

async function fuzzOnce(target: Target, seed: number, count: Count): Promise<void> {
  const random = new Prng(seed);
  const bytes = mutate(random.pick(target.seeds), random.pick(target.seeds), random);
  const started = process.cpuUsage();
  const outcome = await target.run(bytes).catch((error: unknown) => error);
  const { user, system } = process.cpuUsage(started);
  const took = (user + system) / 1000;
  count.slowest = Math.max(count.slowest, took);
  const input = `${target.name} seed ${seed}`;
  if (outcome instanceof KarloError) {
    expect(outcome.code, input).toBe('ERR_KARLO_MODEL_CORRUPT');
    expect(outcome.message.length, input).toBeLessThan(2000);
    count.rejected++;
  } else if (outcome instanceof Error) {
    throw new Error(`${input} threw another error`, { cause: outcome });
  } else {
    checkRanges(outcome as WeightFile | undefined, bytes.length, input);
    count.accepted++;
  }
  if (took > MAX_MILLISECONDS) throw new Error(`${input} took ${took} ms`);
}

/** Checks that the tensors are within the file. */
function checkRanges(file: WeightFile | undefined, size: number, input: string): void {
  for (const { offset, byteLength, shape, strides, dtype } of file?.tensors.values() ?? []) {
    const valid =
      offset >= 0 &&
      byteLength >= 0 &&
      offset + byteLength <= size &&
      shape.length === strides.length &&
      [...shape, ...strides].every((n) => Number.isSafeInteger(n) && n >= 0) &&
      reach(shape, strides) * DTYPES[dtype].bytes === byteLength;
    if (!valid) throw new Error(`${input} yields a tensor outside the file`);
  }
}

function reach(shape: readonly number[], strides: readonly number[]): number {
  if (shape.includes(0)) return 0;
  return shape.reduce((sum, size, dim) => sum + (size - 1) * (strides[dim] as number), 1);
}

it(
  'readers of mutated files throw only KarloErrors, and return only tensors within the file',
  async () => {
    const all = await targets();
    const counts = new Map(all.map((t) => [t, { accepted: 0, rejected: 0, slowest: 0 }]));
    const before = process.memoryUsage().rss;
    let growth = 0;
    const end = performance.now() + SECONDS * 1000;
    for (let seed = SEED * 2 ** 24; performance.now() < end; seed++) {
      for (const [target, count] of counts) await fuzzOnce(target, seed, count);
      if (seed % 256 === 0) growth = Math.max(growth, process.memoryUsage().rss - before);
    }
    for (const [{ name }, { accepted, rejected, slowest }] of counts) {
      // If all inputs were accepted, or all rejected, this would test little.
      expect(rejected, name).toBeGreaterThan(10);
      expect(accepted, name).toBeGreaterThan(0);
      if (SECONDS > 60) console.log(name, { accepted, rejected, slowest });
    }
    if (SECONDS > 60) console.log('memory grew by at most', Math.round(growth / 2 ** 20), 'MiB');
    expect(growth).toBeLessThan(MAX_GROWTH);
  },
  (SECONDS + 30) * 1000,
);
