import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { runProgram } from '../support/run-program.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const build = fileURLToPath(new URL('../../build', import.meta.url));
const fake = join(build, 'test', 'fake_cuda');

/**
 * The environment of a process with a fake CUDA device, and with this library for CUDA graphs.
 * @param graphs undefined: none
 */
function environment(graphs: string | undefined): NodeJS.ProcessEnv {
  const folder = temporaryFolder();
  const release = join(folder, 'build', 'Release');
  mkdirSync(release, { recursive: true });
  for (const name of ['karlo.node', 'libkarlo.so'])
    symlinkSync(join(build, 'Release', name), join(release, name));
  if (graphs) symlinkSync(graphs, join(release, 'libkarlo_cuda.so'));
  return {
    KARLO_PREBUILD: folder,
    KARLO_LIBTORCH: join(fake, 'libtorch'),
    LD_LIBRARY_PATH: join(fake, 'driver'),
  };
}

/** A library whose graphs call the method again: the fake device has none. */
const repeating = join(build, 'test', 'graphs', 'libkarlo_cuda.so');
const real = join(build, 'Release', 'libkarlo_cuda.so');

async function run(env: NodeJS.ProcessEnv) {
  const ended = await runProgram('test/torch/programs/cuda-graphs.mjs', [], { env });
  expect(ended, ended.stderr).toMatchObject({ status: 0, signal: null });
  return JSON.parse(ended.stdout);
}

async function info(env: NodeJS.ProcessEnv) {
  return await runProgram('dist/lib/cli/main.js', ['info', '--json'], { env });
}

describe.runIf(existsSync(fake))('CUDA graphs', () => {
  let recorded: Awaited<ReturnType<typeof run>>;

  beforeAll(async () => {
    recorded = await run(environment(repeating));
  }, 600_000);

  test('the step of each network is recorded, and replayed from then on', () => {
    const { available, graphs, replays } = recorded.afterImages;
    expect({ available, graphs }).toEqual({ available: true, graphs: 4 });
    // Of 4 images: 16 steps of the prior and of the decoder, 8 and 4 of super-resolution, less 3 each.
    expect(replays).toBe(16 + 16 + 8 + 4 - 4 * 3);
  });

  test('images are those of steps that are not recorded', () => {
    expect(recorded.images).toEqual(Array(4).fill(recorded.staged));
  });

  test('an image after an aborted one is the same', () => {
    expect(recorded.aborted).toBe('AbortError');
    expect(recorded.afterAbort).toBe(recorded.images[0]);
  });

  test('another batch size has its own graphs', () => {
    // Of 2 images: the last network has had too few calls.
    expect(recorded.afterBatches.graphs).toBe(7);
  });

  test('graphs are freed with the model', () => {
    expect(recorded.afterDispose.graphs).toBe(0);
  });

  test('networks with staged weights are not recorded', () => {
    expect(recorded.afterStaged.graphs).toBe(0);
    expect(recorded.afterStaged.replays).toBe(recorded.afterDispose.replays);
  });

  test('KARLO_CUDA_GRAPHS=0 switches them off', async () => {
    const { stdout } = await info({ ...environment(repeating), KARLO_CUDA_GRAPHS: '0' });
    const off = { available: false, reason: 'KARLO_CUDA_GRAPHS is 0', graphs: 0, replays: 0 };
    expect(JSON.parse(stdout).cudaGraphs).toEqual(off);
  });

  test('any other value is an error', async () => {
    const { status, stdout } = await info({ ...environment(repeating), KARLO_CUDA_GRAPHS: 'off' });
    expect(status).toBe(1);
    expect(stdout).toContain("Expected 0 or 1 for KARLO_CUDA_GRAPHS but received 'off'");
  });

  test('an addon without them says so', async () => {
    const { stdout } = await info(environment(undefined));
    expect(JSON.parse(stdout).cudaGraphs.reason).toMatch(/built without CUDA graphs: there is no/);
  });

  test('a library that LibTorch does not fit is the reason why there are none', async () => {
    const { stdout } = await info(environment(real));
    expect(JSON.parse(stdout).cudaGraphs.reason).toMatch(
      /Cannot load CUDA graphs: .*undefined symbol/,
    );
  });
});
