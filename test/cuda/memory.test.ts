// What a model takes of a CUDA device's memory, and what happens when there is too little.
import { afterEach, describe, expect, test } from 'vitest';
import { Karlo } from '../../lib/karlo.js';
import { devices, memory, trimMemory } from '../../lib/torch/device.js';

const device = 'cuda:1';
const short = { prior: { steps: 2 }, decoder: { steps: 2 }, upsample: { steps: 2 }, seed: 1 };
const load = (options: object = {}) => Karlo.load({ device, dtype: 'bfloat16', ...options });
const generate = async (karlo: Karlo) => (await karlo.textToImage('a ring', short)).images[0]?.data;

/** Limits the device to what is in use, plus a number of bytes. */
function leave(bytes: number): void {
  trimMemory();
  process.env.FAKE_CUDA_MEMORY = String(memory(device).reserved + bytes);
}

afterEach(() => {
  delete process.env.FAKE_CUDA_MEMORY;
  delete process.env.FAKE_CUDA_REFUSE;
});

test('weights are on the device while they are needed, and dispose() frees all', async () => {
  devices();
  const weights: number[] = [];
  for (const residency of ['resident', 'staged'] as const) {
    const karlo = await load({ residency });
    await generate(karlo);
    weights.push(memory(device).allocated);
    await karlo.dispose();
    expect(memory(device)).toMatchObject({ allocated: 0, reserved: 0 });
  }
  const [resident, staged] = weights as [number, number];
  expect(resident).toBeGreaterThan(18e6); // 9.4 million weights of 2 bytes
  expect(staged).toBeLessThan(resident / 2);
});

test('a memory budget limits batches, and memory stays within it', async () => {
  const memoryBudget = 60e6;
  await using karlo = await load({ memoryBudget });
  const before = memory(device).allocated;
  const { images } = await karlo.textToImage('a ring', { ...short, count: 8 });
  expect(images).toHaveLength(8);
  expect(memory(device).peak - before).toBeLessThan(memoryBudget);
});

describe('running out of memory', () => {
  test('while loading says what to try', async () => {
    devices();
    process.env.FAKE_CUDA_MEMORY = '10000000';
    await expect(load()).rejects.toMatchObject({
      code: 'ERR_KARLO_OUT_OF_MEMORY',
      message: expect.stringMatching(
        /^Not enough memory on cuda:1 for the model in bfloat16\. Try any of: residency: 'staged', device: 'cpu'\. LibTorch reports: CUDA out of memory/,
      ),
    });
    expect(memory(device).allocated).toBe(0);
  });

  test('while generating says what to try, and the model stays usable', async () => {
    await using karlo = await load();
    const expected = await generate(karlo);
    leave(20e6);
    const large = karlo.textToImage('a ring', { ...short, count: 16, batchSize: 16 });
    await expect(large).rejects.toMatchObject({
      code: 'ERR_KARLO_OUT_OF_MEMORY',
      message: expect.stringMatching(
        /^Not enough memory on cuda:1 for 16 images at once in bfloat16\. Try any of: a batchSize below 16, residency: 'staged', device: 'cpu'\. The model can still be used/,
      ),
    });
    expect(await generate(karlo)).toEqual(expected);
  });

  test('at any allocation leaves nothing behind', async () => {
    await using karlo = await load();
    const expected = await generate(karlo);
    const { allocated } = memory(device);
    for (const allocation of [1, 2, 10, 100, 1000]) {
      process.env.FAKE_CUDA_REFUSE = String(allocation);
      const error = await generate(karlo).catch((error) => error);
      expect(error, `allocation ${allocation}`).toHaveProperty('code', 'ERR_KARLO_OUT_OF_MEMORY');
      delete process.env.FAKE_CUDA_REFUSE;
      expect(memory(device).allocated, `allocation ${allocation}`).toBe(allocated);
    }
    expect(await generate(karlo)).toEqual(expected);
  });
});
