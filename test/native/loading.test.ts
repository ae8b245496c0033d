import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { runProgram } from '../support/run-program.js';

const programs = 'test/native/programs';
const ended = (stdout: string, status = 0) => ({ status, signal: null, stdout, stderr: '' });

describe('the addon in worker threads and ending processes', () => {
  test('survives 200 workers that load it, run a module and are terminated', {
    timeout: 300_000,
  }, async () => {
    const result = await runProgram(`${programs}/workers.mjs`, ['200']);
    expect(result).toEqual(ended('200 rounds\n'));
  });

  test('survives workers that end while the main thread uses it', async () => {
    const result = await runProgram(`${programs}/workers.mjs`, ['8', 'main-first']);
    expect(result).toEqual(ended('8 rounds\n'));
  });

  test('two workers load it at the same time, and one ends first', async () => {
    expect(await runProgram(`${programs}/two-workers.mjs`)).toEqual(ended('ended with 0\n'));
  });

  test.each([
    'returns',
    'throws',
    'calls a getter',
    'calls a getter that ends the thread',
    'resolves a promise',
    'resolves many promises',
    'rejects many promises',
  ])('workers can be terminated while the addon %s', { timeout: 120_000 }, async (way) => {
    expect(await runProgram(`${programs}/terminate.mjs`, ['12', way])).toEqual(
      ended('12 rounds\n'),
    );
  });

  test.each([0, 1, 5, 20, 50])('process.exit() works during a step, after %i ms', async (ms) => {
    expect(await runProgram(`${programs}/exit-mid-step.mjs`, [`${ms}`])).toEqual(ended('', 7));
  });

  test.each<[string, string, number?]>([
    ['process.exit()', '', 7],
    ['the end of the program, after an abort', 'aborted\n'],
    ['terminate()', '1\n'],
    ['terminate(), before the thread uses the addon itself', 'ran\n'],
    ['process.exit() in the worker', '3\n'],
    ['process.exit() while a worker loops', '', 7],
  ])('%s works while a graph loops for ever', async (way, stdout, status) => {
    expect(await runProgram(`${programs}/endless.mjs`, [way])).toEqual(ended(stdout, status));
  });

  test.each([0, 20, 60, 100, 140])(
    'process.exit() works while LibTorch is opened on another thread, after %i ms',
    async (ms) => {
      const program = `${programs}/exit-while-opening.mjs`;
      expect(await runProgram(program, [`${ms}`])).toEqual(ended('', 7));
    },
  );

  test.each([0, 50, 100])('a worker can end while LibTorch is opened, after %i ms', async (ms) => {
    const program = `${programs}/end-while-opening.mjs`;
    expect(await runProgram(program, [`${ms}`])).toEqual(ended('used\n'));
  });

  test.each(['at once', 'later'])('LibTorch that was opened ahead is used %s', async (when) => {
    const out = `${JSON.stringify({ open: null, changed: [] })}\n`;
    expect(await runProgram(`${programs}/open-ahead.mjs`, [when])).toEqual(ended(out));
  });

  test.each(['before', 'after'])('works if sharp is loaded %s it', async (order) => {
    expect(await runProgram(`${programs}/with-sharp.mjs`, [order])).toEqual(ended('both\n'));
  });
});

// Two OpenMP thread pools would compete for the cores, which halved the speed of the networks.
test.runIf(process.platform === 'linux')(
  'the main thread computes without OpenMP threads',
  async () => {
    expect(await runProgram(`${programs}/threads.mjs`)).toEqual(ended('0\n'));
  },
);

describe('an unusable LibTorch', () => {
  const folder = mkdtempSync(join(tmpdir(), 'karlo-libtorch-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  function info(env: NodeJS.ProcessEnv) {
    return runProgram('dist/lib/cli/main.js', ['info'], { env });
  }

  function makeLibTorch(name: string, version: string): string {
    const made = join(folder, name);
    mkdirSync(join(made, 'lib'), { recursive: true });
    writeFileSync(join(made, 'build-version'), `${version}\n`);
    for (const library of ['libc10.so', 'libtorch_cpu.so']) {
      writeFileSync(join(made, 'lib', library), 'not a library');
    }
    return made;
  }

  test('rejects another version before opening it, and names both versions', async () => {
    const result = await info({ KARLO_LIBTORCH: makeLibTorch('old', '2.10.0+cpu') });
    expect(result).toMatchObject({ status: 1, signal: null });
    expect(result.stderr).toMatch(/ERR_KARLO_LIBTORCH_VERSION/);
    expect(result.stderr).toMatch(/2\.11\.0.*2\.10\.0|2\.10\.0.*2\.11\.0/s);
  });

  test('reports broken libraries and how to replace them', async () => {
    const made = makeLibTorch('broken', '2.11.0+cpu');
    const result = await info({ KARLO_LIBTORCH: made });
    expect(result).toMatchObject({ status: 1, signal: null });
    expect(result.stderr).toContain(made);
    expect(result.stderr).toContain('npx karlo setup');
  });

  test('reports a missing folder', async () => {
    const missing = join(folder, 'missing');
    const result = await info({ KARLO_LIBTORCH: missing });
    expect(result).toMatchObject({ status: 1, signal: null });
    expect(result.stderr).toContain(missing);
  });
});
