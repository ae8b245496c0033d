import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { recogniseFolder } from '../../../lib/layouts/index.js';
import type { ComponentName } from '../../../lib/networks/registry.js';
import { writeSafetensors } from '../../../lib/weights/safetensors/write.js';
import { writeRandomModel } from '../../fixtures/random-model.js';
import { readCanonical } from '../../fixtures/tensor-data.js';
import { type TensorData, writeTorchArchive } from '../../fixtures/torch-writer.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const root = temporaryFolder();
const published = join(root, 'published');
const components = ['text_proj', 'text_encoder'] as const;

async function describe(folder: string) {
  const source = await recogniseFolder(folder);
  if (source.kind === 'converted') throw new Error(source.kind);
  return (await source.describe()).components;
}

/** All tensors of a folder by component and name. */
async function tensorsOf(folder: string): Promise<Map<string, TensorData>> {
  const found = new Map<string, TensorData>();
  for (const [component, description] of Object.entries(await describe(folder))) {
    for (const [name, tensor] of description.tensors) {
      found.set(`${component} ${name}`, await readCanonical(tensor));
    }
  }
  return found;
}

beforeAll(() => writeRandomModel(published));

async function write(path: string, tensors: ReadonlyMap<string, TensorData>): Promise<void> {
  if (path.endsWith('.bin')) return writeTorchArchive(path, { kind: 'bare', tensors });
  const list = [...tensors].map(([name, { dtype, shape, bytes }]) => {
    return { name, dtype, shape, chunks: () => [bytes] };
  });
  await writeSafetensors(path, list);
}

/** The weights in two files and their index, named as diffusers and transformers name them. */
async function writeShards(
  folder: string,
  stem: string,
  extension: string,
  variant: string,
  tensors: ReadonlyMap<string, TensorData>,
): Promise<void> {
  const entries = [...tensors];
  const middle = entries.length >> 1;
  const index: Record<string, string> = {};
  for (const [at, part] of [entries.slice(0, middle), entries.slice(middle)].entries()) {
    const file = `${stem}${variant}-0000${at + 1}-of-00002.${extension}`;
    await write(join(folder, file), new Map(part));
    for (const [name] of part) index[name] = file;
  }
  const path = join(folder, `${stem}.${extension}.index${variant}.json`);
  writeFileSync(path, JSON.stringify({ metadata: { total_size: 1 }, weight_map: index }));
}

function stemOf(component: ComponentName, extension: string): string {
  if (component === 'text_proj') return 'diffusion_pytorch_model';
  return extension === 'bin' ? 'pytorch_model' : 'model';
}

it.each([
  ['safetensors', '', false],
  ['safetensors', '.fp16', false],
  ['safetensors', '', true],
  ['safetensors', '.fp16', true],
  ['bin', '', false],
  ['bin', '.fp16', false],
  ['bin', '', true],
  ['bin', '.fp16', true],
])('%s%s, sharded: %s, gives the same tensors bit by bit', async (extension, variant, sharded) => {
  const folder = join(root, 'other');
  rmSync(folder, { recursive: true, force: true });
  const source = await describe(published);
  for (const component of components) {
    const to = join(folder, component);
    mkdirSync(to, { recursive: true });
    cpSync(join(published, component, 'config.json'), join(to, 'config.json'));
    const tensors = new Map<string, TensorData>();
    for (const [name, tensor] of source[component]?.tensors ?? []) {
      tensors.set(name, await readCanonical(tensor));
    }
    const stem = stemOf(component, extension);
    if (sharded) await writeShards(to, stem, extension, variant, tensors);
    else await write(join(to, `${stem}${variant}.${extension}`), tensors);
  }
  const actual = await tensorsOf(folder);
  const expected = [...(await tensorsOf(published))].filter(([key]) =>
    components.some((component) => key.startsWith(`${component} `)),
  );
  expect(actual.size).toBe(expected.length);
  for (const [key, { dtype, shape, bytes }] of expected) {
    const found = actual.get(key);
    expect([found?.dtype, found?.shape], key).toEqual([dtype, shape]);
    expect(Buffer.compare(found?.bytes as Uint8Array, bytes), key).toBe(0);
  }
});
