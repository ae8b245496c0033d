// Converted folders of format 1, which contain graphs.
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Karlo } from '../../../lib/karlo.js';
import { builtInModel } from '../../../lib/layouts/built-in.js';
import { convertModel } from '../../../lib/layouts/converted/convert.js';
import { openModel } from '../../../lib/layouts/index.js';
import { Engine } from '../../../lib/torch/index.js';
import { addGraphs } from '../../fixtures/graphs-writer.js';
import { runProgram } from '../../support/run-program.js';

const engine = new Engine();
const placement = { engine, device: 'cpu', dtype: 'bfloat16' } as const;
const short = { seed: 1, prior: { steps: 2 }, decoder: { steps: 2 }, upsample: { steps: 2 } };
let folder: string;
let current: string;
let old: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'karlo-graphs-'));
  current = join(folder, 'current');
  old = join(folder, 'old');
  await convertModel(builtInModel('karlo-tiny'), current, { dtype: 'bfloat16' });
  cpSync(current, old, { recursive: true });
  await addGraphs(old);
});
afterAll(async () => {
  await engine.dispose();
  rmSync(folder, { recursive: true });
});

/** A copy of the old folder, to be modified. */
function copy(name: string): string {
  const path = join(folder, name);
  cpSync(old, path, { recursive: true });
  return path;
}

const failure = (attempt: Promise<unknown>) =>
  attempt.then(
    () => expect.unreachable('it did not fail'),
    (error: Error & { code?: string }) => error,
  );

async function imageOf(model: string, options = {}): Promise<Uint8Array> {
  await using karlo = await Karlo.load({ model, dtype: 'bfloat16', device: 'cpu', ...options });
  const { images } = await karlo.textToImage('a red heart', short);
  return images[0]?.data as Uint8Array;
}

test('is rejected without trustGraphs, with both ways to load it', async () => {
  for (const options of [{}, { trustGraphs: false }]) {
    const error = await failure(Karlo.load({ model: old, ...options }));
    expect(error).toMatchObject({ code: 'ERR_KARLO_INVALID_ARGUMENT' });
    expect(error.message).toContain(`npx karlo convert ${old} NEW_FOLDER --dtype bfloat16`);
    expect(error.message).toContain('trustGraphs: true (--trust-graphs)');
  }
});

test('is loaded with trustGraphs, and gives the images of a folder without graphs', async () => {
  const expected = await imageOf(current);
  expect(await imageOf(old, { trustGraphs: true })).toEqual(expected);
  expect(await imageOf(old, { trustGraphs: true, residency: 'staged' })).toEqual(expected);
  expect(await imageOf(current, { trustGraphs: true })).toEqual(expected);
});

test('is converted without running its graphs', async () => {
  const path = copy('hostile');
  for (const name of ['prior', 'decoder']) writeFileSync(join(path, `${name}.pt`), 'no graph');
  const to = join(folder, 'again');
  const manifest = await convertModel(path, to, { dtype: 'bfloat16' });
  expect(manifest).toEqual(JSON.parse(readFileSync(join(current, 'karlo.json'), 'utf8')));
  expect(existsSync(join(to, 'prior.pt'))).toBe(false);
  expect(await imageOf(to)).toEqual(await imageOf(current));
});

test('a graph that does not match the manifest is never run', async () => {
  const path = copy('changed');
  const graph = join(path, 'prior.pt');
  const loadError = async () =>
    failure((await openModel(path, { trustGraphs: true })).load('prior', placement));
  const corrupt = { code: 'ERR_KARLO_MODEL_CORRUPT' };
  const bytes = readFileSync(graph);
  bytes.writeUInt8(bytes.readUInt8(1000) ^ 1, 1000);
  writeFileSync(graph, bytes);
  const error = await loadError();
  expect(error).toMatchObject(corrupt);
  expect(error.message).toMatch(/SHA-256 [0-9a-f]{64} for the graph in .*prior\.pt/);
  writeFileSync(graph, bytes.subarray(1));
  expect((await loadError()).message).toMatch(/Expected \d+ bytes for the graph in .*prior\.pt/);
  copyFileSync(join(old, 'decoder.pt'), graph);
  expect(await loadError()).toMatchObject(corrupt);
  rmSync(graph);
  expect(await loadError()).toMatchObject({ code: 'ERR_KARLO_MODEL_NOT_FOUND' });
});

test('graphs of another LibTorch are rejected, with the way to convert them', async () => {
  const path = copy('other-libtorch');
  const file = join(path, 'karlo.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ ...manifest, libtorch: '2.10.0' }));
  const error = await failure(openModel(path, { trustGraphs: true }));
  expect(error).toMatchObject({ code: 'ERR_KARLO_LIBTORCH_VERSION' });
  expect(error.message).toMatch(/2\.11\.0.*2\.10\.0.*npx karlo convert .* --dtype bfloat16/);
  await convertModel(path, join(folder, 'converted-from-other'));
});

test('the command line has --trust-graphs', async () => {
  const generate = (...flags: string[]) =>
    runProgram('dist/lib/cli/main.js', [
      ...['generate', 'a heart', '--model', old, '--decoder-steps', '1', '--upsample-steps', '2'],
      ...['--output', join(folder, 'image.png'), '--json', ...flags],
    ]);
  const rejected = await generate();
  expect(rejected.status).toBe(1);
  expect(JSON.parse(rejected.stdout).error.message).toContain('--trust-graphs');
  expect(await generate('--trust-graphs')).toMatchObject({ status: 0 });
});
