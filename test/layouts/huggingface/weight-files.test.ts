import { expect, it } from 'vitest';
import { chooseWeights } from '../../../lib/layouts/huggingface/weight-files.js';

const unet = 'diffusion_pytorch_model';

it.each([
  [
    'safetensors before a pickle',
    [`${unet}.bin`, `${unet}.safetensors`],
    undefined,
    `${unet}.safetensors`,
  ],
  [
    'the file without a variant',
    [`${unet}.fp16.safetensors`, `${unet}.safetensors`],
    undefined,
    `${unet}.safetensors`,
  ],
  [
    'the preferred variant',
    [`${unet}.fp16.safetensors`, `${unet}.safetensors`],
    'fp16',
    `${unet}.fp16.safetensors`,
  ],
  [
    'a variant if there is nothing else',
    [`${unet}.fp16.safetensors`],
    undefined,
    `${unet}.fp16.safetensors`,
  ],
  [
    'no variant if the preferred one is missing',
    [`${unet}.safetensors`],
    'fp16',
    `${unet}.safetensors`,
  ],
  [
    'an index of shards',
    [`${unet}.safetensors.index.json`, `${unet}-00001-of-00002.safetensors`],
    undefined,
    `${unet}.safetensors.index.json`,
  ],
  [
    "diffusers' index of a variant",
    [`${unet}.safetensors.index.fp16.json`, `${unet}.bin`],
    'fp16',
    `${unet}.safetensors.index.fp16.json`,
  ],
  ['an index of pickles', [`${unet}.bin.index.json`], undefined, `${unet}.bin.index.json`],
  [
    'no file with another stem',
    ['model.safetensors', 'pytorch_model.bin', 'other.bin'],
    undefined,
    undefined,
  ],
])('chooses %s', (_, files, variant, expected) => {
  expect(chooseWeights('prior', files, variant)?.file).toBe(expected);
});

it("chooses among transformers' names of weight files", () => {
  const files = ['pytorch_model.bin', 'model.safetensors', 'flax_model.msgpack'];
  expect(chooseWeights('text_encoder', files)?.file).toBe('model.safetensors');
  expect(chooseWeights('image_encoder', files.slice(0, 1))?.format).toBe('torch');
});
