import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { findModel } from '../../lib/hub/store/resolve.js';
import { inspectModel, openModel, recogniseFolder } from '../../lib/layouts/index.js';
import { expectCode } from '../support/expect-error.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { writeCombinedTokenizer } from '../tokenizer/fixtures.js';

const root = temporaryFolder();

function folder(...files: string[]): string {
  const path = join(root, 'model');
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path);
  for (const file of files) {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), '');
  }
  return path;
}

const KAKAO = [
  'ViT-L-14.pt',
  'ViT-L-14_stats.th',
  'prior-ckpt-step=01000000-of-01000000.ckpt',
  'decoder-ckpt-step=01000000-of-01000000.ckpt',
  'improved-sr-ckpt-step=1.2M.ckpt',
];

it('recognises karlo-tiny, which has everything for both tasks', async () => {
  const path = fileURLToPath(new URL('../../models/karlo-tiny', import.meta.url));
  const layout = await recogniseFolder(path);
  if (layout.kind !== 'huggingface') throw new Error(layout.kind);
  expect(layout.missing).toEqual({ textToImage: [], imageVariation: [] });
  expect(layout.weightsOf('prior')).toEqual({
    file: 'diffusion_pytorch_model.safetensors',
    format: 'safetensors',
    sharded: false,
    path: join(path, 'prior', 'diffusion_pytorch_model.safetensors'),
  });
  expect((await layout.describe()).tokenizer).toBe(join(path, 'tokenizer'));
});

it('recognises Kakao’s files, also with %3D, and lists the missing files of each task', async () => {
  const whole = await recogniseFolder(folder(...KAKAO));
  expect(whole).toMatchObject({ kind: 'kakao', missing: { textToImage: [], imageVariation: [] } });
  const downloaded = KAKAO.map((name) => name.replaceAll('=', '%3D')).slice(2);
  const part = await recogniseFolder(folder(...downloaded));
  expect(part).toMatchObject({
    files: { decoder: join(root, 'model', 'decoder-ckpt-step%3D01000000-of-01000000.ckpt') },
    missing: { textToImage: KAKAO.slice(0, 2), imageVariation: ['ViT-L-14.pt'] },
  });
});

it('prefers the converted layout to the others', async () => {
  const layout = await recogniseFolder(folder('karlo.json', 'model_index.json', ...KAKAO));
  expect(layout).toMatchObject({ kind: 'converted', manifest: join(root, 'model', 'karlo.json') });
});

it('lists the missing files of a Hugging Face folder', async () => {
  const path = folder('prior/config.json', 'decoder/diffusion_pytorch_model.bin');
  const layout = await recogniseFolder(path);
  if (layout.kind !== 'huggingface') throw new Error(layout.kind);
  expect(layout.missing.textToImage).toEqual([
    'text_encoder/config.json',
    'weights in text_encoder/',
    'weights in prior/',
    'decoder/config.json',
    'text_proj/config.json',
    'weights in text_proj/',
    'super_res_first/config.json',
    'weights in super_res_first/',
    'super_res_last/config.json',
    'weights in super_res_last/',
    'prior_scheduler/scheduler_config.json',
    'decoder_scheduler/scheduler_config.json',
    'super_res_scheduler/scheduler_config.json',
    'tokenizer/vocab.json',
    'tokenizer/merges.txt',
  ]);
  expect(layout.missing.imageVariation).toContain('feature_extractor/preprocessor_config.json');
  const work = () => layout.requireTask('textToImage');
  await expectCode('ERR_KARLO_MODEL_NOT_FOUND', work, path, 'weights in prior/');
});

describe('a Hugging Face folder whose tokenizer is incomplete', () => {
  const tiny = fileURLToPath(new URL('../../models/karlo-tiny', import.meta.url));
  const path = join(root, 'incomplete');
  const tokenizer = join(path, 'tokenizer');
  beforeEach(() => {
    rmSync(path, { recursive: true, force: true });
    cpSync(tiny, path, { recursive: true });
  });

  it.each<[string, () => void]>([
    ['the folder', () => rmSync(tokenizer, { recursive: true })],
    ['merges.txt', () => rmSync(join(tokenizer, 'merges.txt'))],
    ['vocab.json', () => rmSync(join(tokenizer, 'vocab.json'))],
  ])('is refused when it is opened without %s', async (_, remove) => {
    remove();
    const parts = ['Expected vocab.json and merges.txt, or tokenizer.json, in', tokenizer];
    await expectCode('ERR_KARLO_MODEL_NOT_FOUND', () => openModel(path), ...parts);
    expect((await inspectModel(path)).missing.textToImage.join()).toMatch(/^tokenizer\//);
  });

  it('is opened with tokenizer.json alone', async () => {
    rmSync(tokenizer, { recursive: true });
    writeCombinedTokenizer(tokenizer);
    expect((await openModel(path)).tokenizer.folder).toBe(tokenizer);
    expect((await inspectModel(path)).missing).toEqual({ textToImage: [], imageVariation: [] });
  });
});

describe("a folder of Hugging Face's cache", () => {
  const code = 'ERR_KARLO_MODEL_NOT_FOUND';
  const repository = 'models--kakaobrain--karlo-v1-alpha';
  const [older, newer] = ['a'.repeat(40), 'b'.repeat(40)];
  const files = [older, newer].map((commit) => `snapshots/${commit}/model_index.json`);

  it('is named, with the snapshot of its branch main', async () => {
    const path = folder(...files, 'blobs/0', 'refs/main');
    writeFileSync(join(path, 'refs/main'), newer);
    const expected = [
      `Expected a model folder but ${path} is a repository's folder in Hugging Face's cache`,
      `Use its snapshot: ${join(path, 'snapshots', newer)}`,
    ];
    await expectCode(code, () => recogniseFolder(path), ...expected);
    await expectCode(code, () => recogniseFolder(join(path, 'snapshots')), expected[1] as string);
    expect(await recogniseFolder(join(path, 'snapshots', newer))).toMatchObject({
      kind: 'huggingface',
    });
  });

  it('is named without refs, and without a snapshot', async () => {
    const first = `snapshots/${older}`;
    await expectCode(code, () => recogniseFolder(folder(...files)), first);
    const path = folder('blobs/0', 'refs/main');
    mkdirSync(join(path, 'snapshots'));
    await expectCode(code, () => recogniseFolder(path), 'without a snapshot', 'npx karlo pull');
  });

  it('is named if it contains repositories', async () => {
    const path = folder(`${repository}/refs/main`, 'version.txt');
    const snapshot = join(path, repository, 'snapshots', 'COMMIT');
    await expectCode(code, () => recogniseFolder(path), "Hugging Face's cache", snapshot);
  });

  it('is understood as the name of its repository', async () => {
    const parts = ['Did you mean kakaobrain/karlo-v1-alpha?', 'npx karlo pull kakaobrain'];
    const find = () => findModel(repository, { env: { KARLO_CACHE: root } });
    await expectCode(code, find, ...parts);
  });
});

it('finds no model in folders without one', async () => {
  const code = 'ERR_KARLO_MODEL_NOT_FOUND';
  await expectCode(code, () => recogniseFolder(folder()), 'an empty folder');
  await expectCode(code, () => recogniseFolder(folder('readme.md')), 'readme.md', 'karlo.json');
  await expectCode(code, () => recogniseFolder(join(root, 'none')), 'the folder does not exist');
});
