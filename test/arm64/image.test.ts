import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { Karlo } from '../../lib/karlo.js';
import { version } from '../../lib/torch/load.js';
import { capabilities } from '../support/capabilities.js';

// One image of few steps, because those of test/parity take hours in an emulator.
const folder = new URL('../fixtures/pictures/', import.meta.url);
const { short } = JSON.parse(readFileSync(new URL('cases.json', folder), 'utf8'));

test('an image on Arm matches the reference to within 1/255', async () => {
  await using karlo = await Karlo.load({ model: 'karlo-tiny', device: 'cpu', dtype: 'float32' });
  const { images } = await karlo.textToImage(short.prompt, {
    seed: short.seed,
    prior: { steps: short.prior_steps },
    decoder: { steps: short.decoder_steps },
  });
  const { data, width, height } = images[0] as (typeof images)[number];
  const file = fileURLToPath(new URL('short-0.png', folder));
  const { data: expected, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  expect([width, height]).toEqual([info.width, info.height]);
  const differences = data.map((value, i) => Math.abs(value - (expected[i] as number)));
  expect(differences.reduce((max, one) => Math.max(max, one))).toBeLessThanOrEqual(1);
});

test('the kernels are those of the emulated processor', () => {
  const { kernels } = version();
  expect(process.arch).toBe('arm64');
  expect(kernels).toBe(capabilities().at(-1));
  expect(kernels).toBe(process.env.QEMU_CPU === 'max' ? 'neon_bf16' : 'neon');
});
