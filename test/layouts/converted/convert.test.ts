import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { convertModel } from '../../../lib/layouts/converted/convert.js';
import { openModel } from '../../../lib/layouts/index.js';
import { COMPONENTS } from '../../../lib/networks/registry.js';
import { Engine } from '../../../lib/torch/index.js';
import { readWeights } from '../../../lib/weights/index.js';
import { runProgram } from '../../support/run-program.js';
import { writeCombinedTokenizer } from '../../tokenizer/fixtures.js';

const tiny = fileURLToPath(new URL('../../../models/karlo-tiny', import.meta.url));
const karlo = (...args: string[]) => runProgram('dist/lib/cli/main.js', args);

const engine = new Engine();
const placement = { engine, device: 'cpu', dtype: 'bfloat16' } as const;
let folder: string;
let converted: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'karlo-convert-'));
  converted = join(folder, 'tiny');
  await convertModel(tiny, converted, { dtype: 'bfloat16' });
});
afterAll(async () => {
  await engine.dispose();
  rmSync(folder, { recursive: true });
});

/** A copy of the converted folder, to be modified. */
function copy(name: string): string {
  const path = join(folder, name);
  cpSync(converted, path, { recursive: true });
  return path;
}

const failure = (attempt: Promise<unknown>) =>
  attempt.then(
    () => expect.unreachable('it did not fail'),
    (error: Error & { code?: string }) => error,
  );

describe('a converted folder', () => {
  test('has weights and their hash for each network, the tokenizer and the schedulers', () => {
    const files = COMPONENTS.map((name) => `${name}.safetensors`);
    expect(readdirSync(converted).sort()).toEqual(['karlo.json', ...files, 'tokenizer'].sort());
    expect(existsSync(join(converted, 'tokenizer/vocab.json'))).toBe(true);
    const manifest = JSON.parse(readFileSync(join(converted, 'karlo.json'), 'utf8'));
    expect(manifest).toMatchObject({
      format: 2,
      layout: 'huggingface',
      dtype: 'bfloat16',
      schedulers: { super_res_scheduler: { prediction_type: 'sample' } },
      featureExtractor: { size: { shortest_edge: 64 } },
      components: { prior: { parameters: 886_688, config: { embedding_dim: 96 } } },
    });
    for (const name of COMPONENTS) {
      const bytes = readFileSync(join(converted, `${name}.safetensors`));
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const weights = { file: `${name}.safetensors`, bytes: bytes.length, sha256 };
      expect(manifest.components[name].weights).toEqual(weights);
    }
  });

  test('has weights in the requested dtype, and statistics in float32', async () => {
    const { tensors } = await readWeights(join(converted, 'prior.safetensors'));
    const dtypes = new Set([...tensors.values()].map(({ dtype }) => dtype));
    expect([...dtypes].sort()).toEqual(['bfloat16', 'float32']);
    expect(tensors.get('clip_mean')?.dtype).toBe('float32');
    expect(tensors.get('clip_std')?.dtype).toBe('float32');
    const prior = await (await openModel(converted)).load('prior', placement);
    const attributes = await prior.attributes();
    expect(attributes.clip_std?.dtype).toBe('float32');
    expect(attributes.prd_embedding?.dtype).toBe('bfloat16');
  });
});

describe('converting', () => {
  test('never overwrites, and leaves nothing behind when it is aborted', async () => {
    const error = await failure(convertModel(tiny, converted));
    expect(error).toMatchObject({ code: 'ERR_KARLO_INVALID_ARGUMENT' });
    expect(error.message).toContain(converted);
    const before = readdirSync(folder);
    const controller = new AbortController();
    const aborted = convertModel(tiny, join(folder, 'aborted'), {
      onProgress: () => controller.abort(),
      signal: controller.signal,
    });
    expect((await failure(aborted)).name).toBe('AbortError');
    expect(readdirSync(folder)).toEqual(before);
  });

  test('rejects a folder that is not a model', async () => {
    expect(await failure(convertModel(folder, join(folder, 'x')))).toMatchObject({
      code: 'ERR_KARLO_MODEL_NOT_FOUND',
    });
  });

  test('converts a converted folder again: to the same bytes, or to another dtype', async () => {
    const again = join(folder, 'again');
    const manifest = await convertModel(converted, again, { dtype: 'bfloat16' });
    expect(manifest).toEqual(JSON.parse(readFileSync(join(converted, 'karlo.json'), 'utf8')));
    const wide = join(folder, 'wide');
    await convertModel(converted, wide, { dtype: 'float32' });
    const { tensors } = await readWeights(join(wide, 'decoder.safetensors'));
    expect(new Set([...tensors.values()].map(({ dtype }) => dtype))).toEqual(new Set(['float32']));
    expect(await (await openModel(again)).fingerprint()).toBe(
      await (await openModel(converted)).fingerprint(),
    );
  });

  test('rejects a model that can do neither task, with the missing files', async () => {
    const part = join(folder, 'neither');
    cpSync(tiny, part, { recursive: true });
    rmSync(join(part, 'decoder', 'diffusion_pytorch_model.safetensors'));
    const error = await failure(convertModel(part, join(folder, 'x')));
    expect(error).toMatchObject({ code: 'ERR_KARLO_MODEL_NOT_FOUND' });
    expect(error.message).toMatch(/in .*neither but these are missing: weights in decoder\/$/);
    expect(existsSync(join(folder, 'x'))).toBe(false);
  });

  test('does not overwrite a broken link', async () => {
    const link = join(folder, 'link');
    symlinkSync('nowhere', link);
    const error = await failure(convertModel(tiny, link));
    expect(error.message).toMatch(/Expected a new folder but .*link already exists/);
    rmSync(link);
  });

  test('reports a target that cannot be written, and leaves nothing behind', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const error = await failure(convertModel(tiny, join(file, 'x')));
    expect(error).toMatchObject({ code: 'ERR_KARLO_WRITE' });
    expect(error.message).toMatch(/Cannot write .*x: .*file is not a folder/);
    rmSync(file);
  });

  test('reports the bytes of each tensor as they are written', async () => {
    const seen: { component: string; done: number; total: number }[] = [];
    await convertModel(tiny, join(folder, 'told'), { onProgress: (at) => seen.push(at) });
    expect(new Set(seen.map(({ component }) => component))).toEqual(new Set(COMPONENTS));
    for (const { done, total } of seen) expect(done).toBeLessThanOrEqual(total);
    expect(seen.filter(({ done, total }) => done === total)).toHaveLength(COMPONENTS.length);
  });
});

describe('a modified converted folder', () => {
  const corrupt = { code: 'ERR_KARLO_MODEL_CORRUPT' };

  test('truncated weights, and those of another network, are rejected by key', async () => {
    const path = copy('weights');
    truncateSync(join(path, 'prior.safetensors'), 10_000);
    expect(await failure(openModel(path))).toMatchObject(corrupt);
    copyFileSync(join(converted, 'text_proj.safetensors'), join(path, 'prior.safetensors'));
    const error = await failure(openModel(path));
    expect(error).toMatchObject(corrupt);
    expect(error.message).toMatch(/Expected a tensor for .* in .*prior\.safetensors .* none/);
  });

  test.each<[string, (manifest: Record<string, never>) => unknown, string, RegExp]>([
    [
      'of another format',
      (m) => ({ ...m, format: 3 }),
      'ERR_KARLO_MODEL_CORRUPT',
      /Expected 1 or 2 for format/,
    ],
    ['that is no object', () => 3, 'ERR_KARLO_MODEL_CORRUPT', /Expected object/],
    [
      'that points out of the folder',
      (m) => climbing(m),
      'ERR_KARLO_MODEL_CORRUPT',
      /weights\.file/,
    ],
    ['with a hostile config', (m) => huge(m), 'ERR_KARLO_MODEL_CORRUPT', /num_layers/],
    [
      'with another image size',
      (m) => ({ ...m, featureExtractor: { size: 32, crop_size: 32 } }),
      'ERR_KARLO_MODEL_CORRUPT',
      /Expected 64 x 64 .* but received 32 x 32/,
    ],
  ])('a manifest %s', async (name, change, code, message) => {
    const path = copy(name.replaceAll(' ', '-'));
    const file = join(path, 'karlo.json');
    writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, 'utf8')))));
    const error = await failure(openModel(path));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  // biome-ignore lint/suspicious/noExplicitAny: a manifest is taken apart here
  type Loose = any;
  function climbing(manifest: Loose) {
    manifest.components.prior.weights.file = '../prior.safetensors';
    return manifest;
  }
  function huge(manifest: Loose) {
    manifest.components.prior.config.num_layers = 1e9;
    return manifest;
  }
});

describe('karlo convert and karlo info', () => {
  test('info describes the folder that convert writes', async () => {
    const to = join(folder, 'by-command');
    const result = await karlo('convert', tiny, to, '--dtype', 'bfloat16');
    expect(result).toMatchObject({ status: 0, signal: null });
    expect(result.stdout).toContain(to);
    const info = await karlo('info', to);
    expect(info).toMatchObject({ status: 0, stderr: '' });
    expect(info.stdout).toMatch(/^layout +converted, from huggingface$/m);
    expect(info.stdout).toMatch(/^prior +0\.9 M parameters, bfloat16, 1\.8 MB$/m);
    const again = await karlo('convert', tiny, to);
    expect(again.status).toBe(1);
    expect(again.stderr).toMatch(/ERR_KARLO_INVALID_ARGUMENT: .* already exists/);
  });

  test('a converted folder opens with tokenizer.json alone, and not without a tokenizer', async () => {
    const path = copy('tokenizer');
    const tokenizer = join(path, 'tokenizer');
    rmSync(tokenizer, { recursive: true });
    expect(await failure(openModel(path))).toMatchObject({
      code: 'ERR_KARLO_MODEL_NOT_FOUND',
      message: expect.stringContaining('vocab.json and merges.txt are missing'),
    });
    writeCombinedTokenizer(tokenizer);
    expect((await openModel(path)).tokenizer.folder).toBe(tokenizer);
  });

  test('info lists the missing files of a converted folder', async () => {
    const path = copy('incomplete');
    for (const name of ['decoder', 'image_encoder']) {
      rmSync(join(path, `${name}.safetensors`));
    }
    rmSync(join(path, 'tokenizer/merges.txt'));
    const info = await karlo('info', path);
    const both = 'decoder.safetensors, tokenizer/merges.txt';
    expect(info.stdout).toMatch(new RegExp(`^text to image +missing: ${both}$`, 'm'));
    expect(info.stdout).toMatch(
      new RegExp(`^image variation +missing: image_encoder.safetensors, ${both}$`, 'm'),
    );
  });

  test('convert reports the tasks that the model does not support', async () => {
    const part = join(folder, 'without-prior');
    cpSync(tiny, part, { recursive: true });
    rmSync(join(part, 'prior'), { recursive: true });
    const { status, stdout } = await karlo('convert', part, join(folder, 'variations'));
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^Converted to .*variations\nNot usable for text to image. Missing: prior\n$/,
    );
  });

  test('info describes a published folder, and lists what is missing', async () => {
    const whole = JSON.parse((await karlo('info', tiny, '--json')).stdout);
    expect(whole).toMatchObject({
      layout: 'huggingface',
      components: { decoder: { parameters: 2_202_566, dtype: 'float16' } },
      missing: { textToImage: [], imageVariation: [] },
    });
    const part = join(folder, 'part');
    cpSync(tiny, part, { recursive: true });
    rmSync(join(part, 'image_encoder'), { recursive: true });
    const info = await karlo('info', part);
    expect(info.stdout).toMatch(/^image variation +missing: image_encoder\/config\.json, /m);
    expect(info.stdout).toMatch(/^text to image +ready$/m);
  });

  test('the status is 2 for wrong usage, and 1 for a folder that is not a model', async () => {
    expect((await karlo('convert', tiny)).status).toBe(2);
    expect((await karlo('convert', tiny, join(folder, 'y'), '--dtype', 'int8')).status).toBe(2);
    const none = await karlo('info', folder);
    expect(none.status).toBe(1);
    expect(none.stderr).toContain('ERR_KARLO_MODEL_NOT_FOUND');
  });
});
