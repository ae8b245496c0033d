// The whole pipeline on a CUDA device, against the CPU's images.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Generation, GenerationEvent } from '../../lib/index.js';
import { Karlo } from '../../lib/karlo.js';
import { BOUNDS } from '../../lib/verify/bounds.js';

const prompts = ['a red heart on a white background', 'a blue star'];
const settings = { seed: 0, batchSize: 2 } as const;

/** The mean difference, out of 255. */
function difference(a: Generation, b: Generation): number {
  const sums = a.images.map(({ data }, i) =>
    data.reduce((sum, v, j) => sum + Math.abs(v - (b.images[i]?.data[j] as number)), 0),
  );
  const count = a.images.reduce((sum, { data }) => sum + data.length, 0);
  return sums.reduce((sum, one) => sum + one, 0) / count;
}

async function generate(load: object): Promise<Generation> {
  await using karlo = await Karlo.load({ model: 'karlo-tiny', ...load });
  return await karlo.textToImage(prompts, settings);
}

describe('images', () => {
  let exact: Generation;
  /** How much the images of bfloat16 on the CPU differ. */
  let allowed: number;
  beforeAll(async () => {
    exact = await generate({ device: 'cpu', dtype: 'float32' });
    allowed = difference(exact, await generate({ device: 'cpu', dtype: 'bfloat16' }));
  });

  test.each([
    { device: 'cuda', dtype: 'float32', residency: 'resident', limit: () => 0.01 },
    // The CPU's kernels round less often than LibTorch's operators.
    {
      ...{ device: 'cuda', dtype: 'bfloat16', residency: 'staged' },
      limit: () => BOUNDS.roundedImage.value,
    },
    { device: 'cuda:1', dtype: 'float16', residency: 'resident', limit: () => allowed },
  ])('of $device in $dtype, $residency, are the CPU’s', async ({ limit, ...load }) => {
    const made = await generate(load);
    expect(made.warnings).toEqual([]);
    expect(difference(exact, made)).toBeLessThanOrEqual(limit());
  });
});

test('auto is the first CUDA device, in bfloat16', async () => {
  await using karlo = await Karlo.load();
  expect(karlo).toMatchObject({ device: 'cuda:0', dtype: 'bfloat16' });
});

describe('a run', () => {
  let karlo: Karlo;
  beforeAll(async () => {
    karlo = await Karlo.load({ device: 'cuda:1', dtype: 'float16' });
  });
  afterAll(() => karlo.dispose());
  const short = { prior: { steps: 2 }, decoder: { steps: 3 }, upsample: { steps: 2 }, seed: 1 };

  test('has previews of each stage', async () => {
    const events: GenerationEvent[] = [];
    for await (const event of karlo.textToImage('a ring', { ...short, previews: true })) {
      events.push(event);
    }
    const widths = events.flatMap((event) =>
      event.type === 'step' ? (event.previews ?? []).map(({ image }) => image.width) : [],
    );
    expect(new Set(widths)).toEqual(new Set([32, 128]));
    expect(events.at(-1)).toMatchObject({ type: 'image', image: { width: 128 } });
  });

  test('ends when it is aborted, and the next one is complete', async () => {
    const controller = new AbortController();
    const task = karlo.textToImage('a ring', { ...short, count: 4, signal: controller.signal });
    const read = async () => {
      for await (const _ of task) controller.abort();
    };
    await expect(read()).rejects.toMatchObject({ name: 'AbortError' });
    expect((await karlo.textToImage('a ring', short)).images).toHaveLength(1);
  });
});
