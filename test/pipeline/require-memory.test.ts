import { beforeAll, describe, expect, test } from 'vitest';
import type { KarloError } from '../../lib/errors.js';
import { builtInModel } from '../../lib/layouts/built-in.js';
import { type Model, openModel } from '../../lib/layouts/index.js';
import { flagLabel } from '../../lib/options/flags.js';
import { resolveTextToImage } from '../../lib/options/resolve-generation.js';
import { identityLabel } from '../../lib/options/validate.js';
import {
  draftBytes,
  largestBatch,
  type MemoryLayout,
  peakBytes,
} from '../../lib/pipeline/peak-memory.js';
import { type MemoryContext, requireMemory } from '../../lib/pipeline/require-memory.js';

const resident: MemoryLayout = { device: 'cpu', dtype: 'float32', residency: 'resident' };
const smallest: MemoryLayout = { device: 'cpu', dtype: 'bfloat16', residency: 'staged' };
const imageBytes = 3 * 128 * 128;
const MB = 1_000_000;

let model: Model;
beforeAll(async () => {
  model = await openModel(builtInModel('karlo-tiny'));
});

interface Call {
  batchSize?: number;
  count?: number;
  inputs?: number;
  candidates?: number;
  stopAfter?: 'decoder';
}

const settingsOf = ({ inputs: _, ...options }: Call) => resolveTextToImage('a ring', options);

/** Bytes of a call's batch. */
const peakOf = (batchSize: number, layout: MemoryLayout) =>
  peakBytes(model, settingsOf({}), layout)(batchSize);

/** The error of a call, if it does not fit into this memory. */
function errorOf(call: Call, bytes: number, context: Partial<MemoryContext> = {}) {
  const available = { bytes, source: '1 GB, a test', fix: 'Buy more' };
  const full = { ...resident, label: identityLabel, available, ...context };
  try {
    requireMemory(model, { settings: settingsOf(call), inputs: call.inputs ?? 1 }, full);
    return undefined;
  } catch (error) {
    return error as KarloError;
  }
}

describe('a call', () => {
  test('fits if its networks and the images of its result do', () => {
    const needed = peakOf(4, resident) + 4 * imageBytes;
    const call = { batchSize: 4, count: 4 };
    expect(errorOf(call, needed)).toBeUndefined();
    expect(errorOf(call, needed - 1)).toMatchObject({
      name: 'KarloError',
      code: 'ERR_KARLO_OUT_OF_MEMORY',
      message: expect.stringMatching(
        /^Expected a call that fits into 1 GB, a test, but 4 images at once in float32, 4 in all, need \d+ MB\. What fits: .*\. Buy more$/,
      ),
    });
  });

  test('fits if the candidates of its batch do', () => {
    const call = { batchSize: 4, count: 4, candidates: 8 };
    const needed = peakOf(4, resident) + 4 * imageBytes;
    const held = 4 * 7 * draftBytes(model);
    expect(errorOf(call, needed + held)).toBeUndefined();
    expect(errorOf(call, needed + held - 1)?.message).toContain('a batchSize of at most');
  });

  test('that ends with its drafts needs memory for these instead of images', () => {
    const call = { count: 1000, stopAfter: 'decoder' } as const;
    const peak = peakBytes(model, settingsOf(call), resident)(1);
    expect(errorOf(call, peak + 1000 * draftBytes(model))).toBeUndefined();
    expect(errorOf({ count: 1000 }, peak + 1000 * draftBytes(model))).toBeDefined();
  });

  test('is not checked if the available memory is unknown', () => {
    const context = { ...resident, label: identityLabel, available: undefined };
    const settings = settingsOf({ batchSize: 1000 });
    expect(() => requireMemory(model, { settings, inputs: 1 }, context)).not.toThrow();
  });

  test('of one image is described as one', () => {
    expect(errorOf({}, 1)?.message).toContain('but 1 image in float32, 1 in all, need');
  });
});

describe('what fits', () => {
  test('is the largest batch, with and without options that need less memory', () => {
    const bytes = peakOf(4, resident) + imageBytes;
    const most = (layout: Partial<MemoryLayout>) =>
      largestBatch(
        peakBytes(model, settingsOf({}), { ...resident, ...layout }),
        bytes - imageBytes,
      );
    const [halved, staged] = [most({ dtype: 'bfloat16' }), most({ residency: 'staged' })];
    expect(halved).toBeLessThan(16);
    expect(errorOf({ batchSize: 16 }, bytes)?.message).toContain(
      `What fits: a batchSize of at most 4; dtype: 'bfloat16' with a batchSize of at most ${halved}; residency: 'staged' with a batchSize of at most ${staged}`,
    );
  });

  test('is one option if it suffices', () => {
    const bytes = peakOf(16, { ...resident, dtype: 'bfloat16' }) + imageBytes;
    const message = errorOf({ batchSize: 16 }, bytes)?.message;
    expect(message).toMatch(/; dtype: 'bfloat16'[;.]/);
    expect(message).not.toContain("dtype: 'bfloat16' with residency");
  });

  test('is both options if neither alone is enough for one image', () => {
    const bytes = peakOf(1, smallest) + imageBytes;
    expect(errorOf({}, bytes)?.message).toContain(
      "What fits: dtype: 'bfloat16' with residency: 'staged'. Buy more",
    );
  });

  test('is nothing if the smallest batch is too large', () => {
    expect(errorOf({}, MB)?.message).toMatch(/need \d+ MB\. Buy more$/);
  });

  test('is a smaller count if the images of the result are too large', () => {
    const bytes = peakOf(1, resident) + 100 * imageBytes;
    const call = { count: 60, inputs: 2 };
    expect(errorOf({ ...call, count: 50 }, bytes)).toBeUndefined();
    expect(errorOf(call, bytes)?.message).toMatch(/What fits: a count of at most 50;/);
  });

  test('leaves out options that are set already', () => {
    const bytes = peakOf(2, smallest) + imageBytes;
    expect(errorOf({ batchSize: 3 }, bytes, smallest)?.message).toContain(
      'What fits: a batchSize of at most 2. Buy more',
    );
  });

  test('is labelled by flags on the command line', () => {
    const bytes = peakOf(1, { ...resident, dtype: 'bfloat16' }) + imageBytes;
    expect(errorOf({}, bytes, { label: flagLabel })?.message).toContain(
      'What fits: --dtype bfloat16',
    );
  });
});
