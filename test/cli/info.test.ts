import { expect, test } from 'vitest';
import { capabilities } from '../support/capabilities.js';
import { runProgram } from '../support/run-program.js';

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

test('a mistyped command is not used as a prompt', async () => {
  const { status, stderr } = await karlo('infos');
  expect(status).toBe(2);
  expect(stderr).toBe(
    "There is no command 'infos'. Did you mean: karlo info? To use it as a prompt: karlo generate infos\n",
  );
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
  expect(stderr).toContain(
    "Expected one of base, avx2, avx512, avx512_bf16 for KARLO_CPU_CAPABILITY but received 'avx1024'",
  );
  expect(status).toBe(1);
});
