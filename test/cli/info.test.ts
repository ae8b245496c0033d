import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { KarloImage } from '../../lib/images/karlo-image.js';
import { capabilities } from '../support/capabilities.js';
import { runProgram } from '../support/run-program.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const karlo = (...args: string[]) => runProgram('dist/lib/cli/main.js', args);

test('info shows the installation', async () => {
  const { status, stdout, stderr } = await karlo('info');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const labels = ['karlo', 'Node', 'LibTorch', 'device cpu', 'device cuda', 'CPU', 'memory'];
  for (const label of labels) expect(stdout).toMatch(new RegExp(`^${label} +\\S`, 'm'));
  expect(stdout).toMatch(/^threads +\d+, (by|one per) /m);
});

test('info --json prints one object', async () => {
  const { stdout } = await karlo('info', '--json');
  expect(JSON.parse(stdout)).toMatchObject({
    node: process.versions.node,
    libtorch: { version: '2.11.0' },
    devices: [{ device: 'cpu', available: true }, { device: expect.stringContaining('cuda') }],
    threads: expect.any(Number),
    threadsReason: expect.any(String),
  });
});

test('info says whether LibTorch has CUDA, instead of the build that its files come from', async () => {
  const { stdout } = await karlo('info');
  expect(stdout).toMatch(/^LibTorch +2\.11\.0 (without CUDA|with CUDA 13\.0) from /m);
  expect(stdout).toMatch(/^device cuda(:0)? +(not available\. |NVIDIA )/m);
});

test('info describes several models and images', async () => {
  const out = temporaryFolder();
  const images = ['one.png', 'two.png'].map((name) => join(out, name));
  const pixels = { width: 1, height: 1, data: new Uint8Array(3) };
  const image = new KarloImage(pixels, 0);
  await image.toFile(images[0] as string, { marking: false });
  const model = 'models/karlo-tiny';
  const { status, stdout, stderr } = await karlo('info', model, ...images, 'karlo-tiny');
  expect(status).toBe(1);
  expect(stdout).toMatch(/^models\/karlo-tiny\nfolder +.*\n\nkarlo-tiny\nfolder +/s);
  expect(stderr).toMatch(/^ERR_KARLO_INVALID_ARGUMENT: .*one\.png has none.*\n.*two\.png/);
  const json = JSON.parse((await karlo('info', model, ...images, '--json')).stdout);
  expect(json).toMatchObject([
    { path: model, layout: 'huggingface' },
    ...images.map((path) => ({ path, error: { code: 'ERR_KARLO_INVALID_ARGUMENT' } })),
  ]);
});

test.each([
  ['a usage error', ['a ring', '--nope'], 2, /^unknown option '--nope'$/],
  ['an option out of range', ['a ring', '--seed', '-1'], 2, /--seed but received -1/],
  ['info', ['info', 'nowhere.png'], 1, /does not exist/],
  ['convert', ['convert', '/nowhere', 'x'], 1, /nowhere/],
  ['models', ['models', 'rm', 'no/model'], 1, /no\/model/],
  ['setup', ['setup', '--archive', '/nowhere.zip'], 1, /./],
])('--json prints the failure of %s as JSON', async (_name, args, status, message) => {
  const result = await karlo(...args, '--json');
  expect(result.status).toBe(status);
  const { error } = JSON.parse(result.stdout);
  expect(error).toEqual({
    code: expect.stringMatching(/^ERR_KARLO_/),
    message: expect.stringMatching(message),
  });
  // For people, who may have redirected stdout.
  expect(result.stderr).toContain(error.message);
});

test.skipIf(!existsSync('/dev/full'))('a full disk under stdout is an error', () => {
  const line = 'exec "$0" dist/lib/cli/main.js info > /dev/full';
  const { status, stderr } = spawnSync('sh', ['-c', line, process.execPath], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: expect.stringMatching(/^ERR_KARLO_WRITE: Cannot write to stdout: ENOSPC: .*\n$/),
  });
});

test('wrong usage exits with 2', async () => {
  expect((await karlo('info', '--nope')).status).toBe(2);
  expect((await karlo('--help')).status).toBe(0);
});

const infoWith = (KARLO_CPU_CAPABILITY: string) =>
  runProgram('dist/lib/cli/main.js', ['info', '--json'], { env: { KARLO_CPU_CAPABILITY } });

test.each(capabilities())('KARLO_CPU_CAPABILITY=%s selects its kernels', async (name) => {
  const { stdout } = await infoWith(name);
  expect(JSON.parse(stdout).kernels).toBe(name);
});

test('KARLO_CPU_CAPABILITY rejects an unknown instruction set', async () => {
  const { stderr, status } = await infoWith('avx1024');
  const names = process.arch === 'arm64' ? 'neon, neon_bf16' : 'avx2, avx512, avx512_bf16';
  expect(stderr).toContain(
    `Expected one of base, ${names} for KARLO_CPU_CAPABILITY but received 'avx1024'`,
  );
  expect(status).toBe(1);
});
