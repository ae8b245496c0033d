import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { kakaoName } from '../../../lib/layouts/kakao/files.js';
import { KakaoFolder } from '../../../lib/layouts/kakao/index.js';
import { writeKakaoLayout } from '../../fixtures/kakao-writer.js';
import type { Picklable } from '../../fixtures/pickle-writer.js';
import { KAKAO_SHAPED, writeRandomModel } from '../../fixtures/random-model.js';
import { readTensor } from '../../fixtures/tensor-data.js';
import { type TensorData, writeTorchArchive } from '../../fixtures/torch-writer.js';
import { expectCorrupt } from '../../support/expect-error.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const folder = temporaryFolder();
const path = join(folder, kakaoName('prior'));
const kakao = new KakaoFolder(folder, { prior: kakaoName('prior'), stats: kakaoName('stats') });
const weights = new Map<string, TensorData>();

/** The tensors of the prior, by the key that each one is read from. */
async function sources() {
  const { prior } = (await kakao.describe()).components;
  return new Map([...(prior?.tensors.values() ?? [])].map(({ source }) => [source.name, source]));
}

beforeAll(async () => {
  const published = join(folder, 'huggingface');
  await writeRandomModel(published, { prior: KAKAO_SHAPED.prior });
  await writeKakaoLayout(published, folder);
  for (const [key, entry] of await sources()) {
    if (entry.file === path) weights.set(key, await readTensor(entry));
  }
});

const extra: TensorData = { dtype: 'float32', shape: [1], bytes: Buffer.alloc(4) };

async function withExtra(...keys: string[]) {
  const tensors = new Map([...weights, ...keys.map((key) => [key, extra] as const)]);
  await writeTorchArchive(path, { kind: 'state_dict', tensors });
}

describe("a checkpoint of Kakao's training", () => {
  it.each([
    ['buffers of the model', ['clip_mean', 'clip_std', 'causal_mask', 'cf_token', 'cf_mask']],
    ['EMA of each weight', ['ema.prd_emb', 'ema_model.prd_emb', 'model_ema.prd_emb']],
    ['EMA inside of a module', ['model.model_ema.prd_emb', 'model.model_ema.num_updates']],
  ])('is read without %s', async (_, keys) => {
    await withExtra(...keys);
    const found = await sources();
    expect([...found.keys()].filter((key) => !weights.has(key))).toEqual(['0', '1']);
    const entry = found.get('model.prd_emb');
    if (!entry) throw new Error('no prd_emb');
    expect((await readTensor(entry)).bytes).toEqual(weights.get('model.prd_emb')?.bytes);
  });

  it('is read without command line, paths, and EMA beside the state dict', async () => {
    const root: Picklable = { global: ['pathlib', 'PosixPath'], args: ['/', 'data'] };
    const others: [string, Picklable][] = [
      ['hyper_parameters', { module: 'argparse.Namespace', attributes: [['root', root]] }],
      ['paths', [root, { global: ['pathlib', 'WindowsPath'], args: ['C:\\', 'models'] }]],
      ['ema', { dict: [['decay', 0.999]] }],
    ];
    await writeTorchArchive(path, { kind: 'state_dict', tensors: weights, others });
    expect((await sources()).size).toBe(weights.size + 2);
  });

  it.each([
    // A weight of priors with `xf_padding`, which the published one is not.
    'model.padding_embedding',
    'model.transformer.resblocks.2.attn.c_qkv.weight',
    'model.extra_mask',
    'model.theta_emax.weight',
    'prd_emb',
  ])('is rejected for the unknown weight %s', async (key) => {
    await withExtra(key);
    await expectCorrupt(() => kakao.describe(), `for ${key} in ${path}`, 'an unknown one');
  });

  it('is rejected with EMA only', async () => {
    const tensors = new Map([...weights].map(([key, data]) => [`ema_${key}`, data]));
    await writeTorchArchive(path, { kind: 'state_dict', tensors });
    await expectCorrupt(() => kakao.describe(), 'a tensor for model.clip_img_proj.weight', 'none');
  });

  it("is rejected in PyTorch's older format, with the way to convert it", async () => {
    const legacy = new URL('../../fixtures/torch/views-legacy.bin', import.meta.url);
    await copyFile(fileURLToPath(legacy), path);
    await expectCorrupt(() => kakao.describe(), path, 'older format', 'torch.save(torch.load');
  });

  it('is rejected for an object of another class', async () => {
    const others: [string, Picklable][] = [['when', { global: ['datetime', 'date'], args: [] }]];
    await writeTorchArchive(path, { kind: 'state_dict', tensors: weights, others });
    await expectCorrupt(() => kakao.describe(), path, 'the global datetime.date');
  });
});
