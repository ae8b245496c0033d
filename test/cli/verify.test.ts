import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { packageVersion } from '../../lib/util/package.js';
import type { Finding } from '../../lib/verify/index.js';
import { runProgram } from '../support/run-program.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const tiny = resolve('models/karlo-tiny');
const verify = (...args: string[]) => runProgram('dist/lib/cli/main.js', ['verify', ...args]);

/** A copy of karlo-tiny without some of its folders. */
function copyOfTiny(...without: string[]): string {
  const folder = join(temporaryFolder(), 'copy');
  cpSync(tiny, folder, { recursive: true });
  for (const part of without) rmSync(join(folder, part), { recursive: true });
  return folder;
}

test('verify finds that karlo-tiny is right', async () => {
  const { status, stdout, stderr } = await verify();
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  for (const label of ['karlo', 'LibTorch', 'cpu', 'kernels', 'threads', 'model']) {
    expect(stdout).toMatch(new RegExp(`^${label} +\\S`, 'm'));
  }
  expect(stdout).toMatch(/^networks: super_res_last +max +mean +bound\n/m);
  expect(stdout).toMatch(/^ {2}float32 against float64( +\d\S*){2} +max 1\.0e-5 +ok$/m);
  expect(stdout).toMatch(/\nok: \d+ comparisons in \d+\.\d s\n$/);
  expect(stdout).not.toContain(resolve('.'));
});

test('verify --json prints the installation and every finding', async () => {
  const folder = copyOfTiny('image_encoder', 'feature_extractor');
  const { status, stdout } = await verify(folder, '--threads', '2', '--json');
  expect(status).toBe(0);
  expect(stdout).not.toContain(folder);
  const { verdict, installation, findings, seconds } = JSON.parse(stdout);
  expect({ verdict, installation, seconds }).toMatchObject({
    verdict: 'ok',
    seconds: expect.any(Number),
    installation: {
      karlo: packageVersion(),
      node: process.versions.node,
      threads: 2,
      devices: [{ device: 'cpu' }, {}],
      model: {
        name: basename(folder),
        layout: 'huggingface',
        fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    },
  });
  const of = (part: string, subject: string) =>
    (findings as Finding[]).filter((one) => one.part === part && one.subject === subject);
  expect(of('networks', 'decoder').map(({ comparison }) => comparison)).toEqual([
    'float32 against float64',
    'bfloat16 against float32',
    'batch of 4 against 1',
    '1 thread against 2',
  ]);
  for (const { errors, verdict } of of('networks', 'decoder')) {
    expect({ errors, verdict }).toEqual({
      errors: { max: expect.any(Number), mean: expect.any(Number) },
      verdict: 'ok',
    });
  }
  // An optional part that the model lacks is no failure.
  expect(of('networks', 'image_encoder')).toMatchObject([{ verdict: 'skipped' }]);
  expect(of('images', 'short cascade')).toHaveLength(3);
});

test('verify fails for a network with a damaged weight, and says where', async () => {
  const folder = copyOfTiny();
  damage(join(folder, 'super_res_last/diffusion_pytorch_model.safetensors'), 'conv_in.bias');
  const { status, stdout } = await verify(folder);
  expect(status).toBe(1);
  const [networks, images] = stdout.split('images: short cascade');
  const [before, damaged] = (networks as string).split('networks: super_res_last');
  expect(before).not.toContain('failed');
  expect(damaged).toMatch(/^ {2}float32 against float64 +NaN +NaN .* failed$/m);
  expect(images).toMatch(/\nfailed: \d+ of \d+ comparisons in /);
});

/** Sets the exponent bits of a tensor's first element, which makes it NaN or infinite. */
function damage(file: string, name: string): void {
  const bytes = readFileSync(file);
  const length = Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length));
  const { dtype, data_offsets } = header[name];
  const at = 8 + length + data_offsets[0];
  if (dtype === 'F32') bytes.writeUInt32LE(0x7fc00000, at);
  else bytes.writeUInt16LE(0x7e00, at);
  writeFileSync(file, bytes);
}

test.each([
  [['nowhere'], 1, /^ERR_KARLO_MODEL_NOT_FOUND: .*nowhere/],
  [['karlo-tiny', '--threads', '0'], 2, /for --threads but received 0/],
  [['karlo-tiny', '--reference', 'nowhere'], 1, /for --reference but nowhere is neither/],
  [['karlo-tiny', '--reference', process.execPath], 1, /for --reference but .* says: /],
])('verify %j is an error', async (args, status, message) => {
  const result = await verify(...args);
  expect(result).toMatchObject({ status, stdout: '' });
  expect(result.stderr).toMatch(message);
});

test('Ctrl-C ends verify with status 130', async () => {
  const child = spawn(process.execPath, ['dist/lib/cli/main.js', 'verify'], { stdio: 'pipe' });
  await once(child.stdout, 'data');
  child.kill('SIGINT');
  expect(await once(child, 'close')).toEqual([130, null]);
});

const reference = process.env.KARLO_REFERENCE;

test.skipIf(!reference || !existsSync(reference))(
  'verify --reference compares both tasks with diffusers',
  async () => {
    const { status, stdout } = await verify('--reference', reference as string, '--json');
    expect(status).toBe(0);
    const { findings } = JSON.parse(stdout) as { findings: Finding[] };
    expect(findings.filter(({ part }) => part === 'reference')).toMatchObject([
      { subject: 'textToImage', verdict: 'ok', bound: { of: 'max', value: 1 } },
      { subject: 'imageVariation', verdict: 'ok', bound: { of: 'max', value: 1 } },
    ]);
  },
);
