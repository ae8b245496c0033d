import { beforeAll, expect, test } from 'vitest';
import { builtInModel } from '../../lib/layouts/built-in.js';
import { type Model, openModel } from '../../lib/layouts/index.js';
import {
  draftBytes,
  largestBatch,
  type MemoryLayout,
  peakBytes,
} from '../../lib/pipeline/peak-memory.js';

const MB = 1_000_000;
const guided = { decoder: { guidanceScale: 8 } };

let model: Model;
beforeAll(async () => {
  model = await openModel(builtInModel('karlo-tiny'));
});

const peakOf = (layout: Partial<MemoryLayout>) =>
  peakBytes(model, guided, { device: 'cpu', dtype: 'float32', residency: 'resident', ...layout });

// Measured as RssAnon of /proc/PID/status, less what the process had before the model was loaded.
test.each([
  { dtype: 'float32', residency: 'resident', batchSize: 1, measured: 152 },
  { dtype: 'float32', residency: 'resident', batchSize: 16, measured: 396 },
  { dtype: 'float32', residency: 'resident', batchSize: 32, measured: 649 },
  { dtype: 'float32', residency: 'staged', batchSize: 16, measured: 304 },
  { dtype: 'bfloat16', residency: 'resident', batchSize: 1, measured: 119 },
  { dtype: 'bfloat16', residency: 'resident', batchSize: 16, measured: 358 },
  { dtype: 'bfloat16', residency: 'resident', batchSize: 32, measured: 557 },
] as const)(
  'covers what $dtype, $residency, with batches of $batchSize takes, and little more',
  ({ batchSize, measured, ...layout }) => {
    const bytes = peakOf(layout)(batchSize);
    expect(bytes).toBeGreaterThanOrEqual(measured * MB);
    expect(bytes).toBeLessThan(1.3 * measured * MB);
  },
);

test('without guidance, the decoder has half the rows', () => {
  const layout = { device: 'cuda:0', dtype: 'float32', residency: 'resident' } as const;
  const unguided = peakBytes(model, { decoder: { guidanceScale: 1 } }, layout);
  expect(unguided(1000)).toBeLessThanOrEqual(peakBytes(model, guided, layout)(1000));
});

test('drafts, and finishing them, take no more than both halves of the cascade', () => {
  const layout = { device: 'cpu', dtype: 'float32', residency: 'staged' } as const;
  const whole = peakBytes(model, guided, layout)(64);
  const halves = [{ ...guided, stopAfter: 'decoder' }, {}] as const;
  const peaks = halves.map((settings) => peakBytes(model, settings, layout)(64));
  expect(Math.max(...peaks)).toBe(whole);
  expect(Math.min(...peaks)).toBeLessThan(whole);
});

test('the candidates of each image of a batch are held together', () => {
  const layout = { device: 'cpu', dtype: 'float32', residency: 'resident' } as const;
  const peak = peakBytes(model, { ...guided, candidates: 5 }, layout)(2);
  expect(peak - peakOf({})(2)).toBe(2 * 4 * draftBytes(model));
  expect(draftBytes(model)).toBe(15 * 32 * 32);
});

test('on a GPU, there are only weights and activations, in the dtype', () => {
  const onGpu = (dtype: MemoryLayout['dtype']) => peakOf({ device: 'cuda:0', dtype })(4);
  expect(onGpu('float16')).toBe(onGpu('float32') / 2);
  expect(onGpu('float32')).toBeLessThan(peakOf({})(4));
});

test('the largest batch is the last that fits', () => {
  const peak = peakOf({});
  expect(largestBatch(peak, peak(1) - 1)).toBe(0);
  expect(largestBatch(peak, peak(7))).toBe(7);
  expect(largestBatch(peak, peak(8) - 1)).toBe(7);
  expect(largestBatch(peak, Number.POSITIVE_INFINITY)).toBe(1000);
});
