import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { convertModel } from '../../lib/layouts/converted/convert.js';
import { type Model, openModel } from '../../lib/layouts/index.js';
import { COMPONENTS, type ComponentConfigs } from '../../lib/networks/registry.js';
import { Engine, type ScriptOutput, Tensor } from '../../lib/torch/index.js';
import { noise } from '../fixtures/formula.js';
import { writeKakaoLayout } from '../fixtures/kakao-writer.js';
import { writeRandomModel } from '../fixtures/random-model.js';

const engine = new Engine();
const placement = { engine, device: 'cpu', dtype: 'float32' } as const;
let folder: string;
let published: Model;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'karlo-kakao-'));
  await writeRandomModel(join(folder, 'hf'));
  await writeKakaoLayout(join(folder, 'hf'), join(folder, 'kakao'));
  published = await openModel(join(folder, 'hf'));
});
afterAll(async () => {
  await engine.dispose();
  await rm(folder, { recursive: true });
});

function inputTensor(name: string, ...shape: number[]): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  return Tensor.from(noise(name, count), shape, 'float32');
}

/** Inputs of each network's `forward` for a batch of 2, shaped by its config. */
function inputsOf(configs: Partial<ComponentConfigs>) {
  const {
    prior,
    decoder,
    text_proj,
    super_res_first: sr,
    image_encoder,
  } = configs as ComponentConfigs;
  const { text_encoder } = configs as ComponentConfigs;
  const tokens = prior.num_embeddings;
  const mask = Tensor.from(new BigInt64Array(2 * tokens).fill(1n), [2, tokens]);
  const t = Tensor.from(new BigInt64Array([7n, 999n]));
  const width = prior.embedding_dim;
  const ids = BigInt64Array.from({ length: 2 * tokens }, (_, i) =>
    BigInt(i % text_encoder.eos_token_id),
  );
  ids[tokens - 1] = ids[2 * tokens - 1] = BigInt(text_encoder.eos_token_id);
  const images = (channels: number, side: number) =>
    inputTensor(`images${side}`, 2, channels, side, side);
  const texts = [inputTensor('embeds', 2, width), inputTensor('hidden', 2, tokens, width), mask];
  const context = inputTensor('context', 2, tokens + 4, decoder.cross_attention_dim);
  const contextMask = Tensor.from(new BigInt64Array(2 * (tokens + 4)).fill(1n), [2, tokens + 4]);
  const labels = inputTensor('labels', 2, text_proj.time_embed_dim);
  const superRes = [images(sr.in_channels, sr.sample_size as number), t];
  return {
    prior: [inputTensor('x', 2, width), t, ...texts],
    decoder: [images(3, decoder.sample_size), t, context, contextMask, labels],
    text_proj: [inputTensor('image', 2, width), ...texts],
    super_res_first: superRes,
    super_res_last: superRes,
    text_encoder: [Tensor.from(ids, [2, tokens])],
    image_encoder: [images(3, image_encoder.image_size)],
  };
}

function bitsOf(output: ScriptOutput): unknown {
  return Array.isArray(output) ? output.map(bitsOf) : (output as Tensor).toTypedArray();
}

describe('a model in the Kakao layout', () => {
  test.each(COMPONENTS)(
    '%s computes the same bits as in the Hugging Face layout',
    async (component) => {
      const kakao = await openModel(join(folder, 'kakao'));
      expect(kakao.layout).toBe('kakao');
      const inputs = inputsOf(published.configs)[component];
      using expected = await published.load(component, placement);
      using actual = await kakao.load(component, placement);
      expect(bitsOf(await actual.run('forward', inputs))).toEqual(
        bitsOf(await expected.run('forward', inputs)),
      );
    },
  );

  test('computes the same bits after conversion, which records the layout', async () => {
    await convertModel(join(folder, 'kakao'), join(folder, 'converted'));
    const converted = await openModel(join(folder, 'converted'));
    expect(converted.layout).toBe('kakao');
    expect(converted.schedulers.prior_scheduler?.clipSampleRange).toBe(10);
    const inputs = inputsOf(published.configs).decoder;
    using expected = await published.load('decoder', placement);
    using actual = await converted.load('decoder', placement);
    expect(bitsOf(await actual.run('forward', inputs))).toEqual(
      bitsOf(await expected.run('forward', inputs)),
    );
  });
});
