import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { findLibTorch } from '../../lib/libtorch/find.js';
import { setUpLibTorch } from '../../lib/libtorch/setup.js';
import { runProgram } from '../support/run-program.js';
import { libtorchEntries } from './make-libtorch.js';
import { folderName, linux, useCache } from './use-cache.js';

const here = useCache();

describe.runIf(linux)('karlo setup, killed or run twice at once', () => {
  const karlo = fileURLToPath(new URL('../../dist/lib/cli/main.js', import.meta.url));
  const run = (args: string[], variables: NodeJS.ProcessEnv) =>
    spawn(process.execPath, [karlo, 'setup', ...args], {
      env: { ...process.env, KARLO_LIBTORCH: '', KARLO_OFFLINE: '', ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const setup = (archive: string, folder = here.cache()) =>
    run(['--archive', archive], { KARLO_CACHE: folder });
  const fetching = (variables: NodeJS.ProcessEnv) =>
    run([], { KARLO_CACHE: here.cache(), ...variables });

  test('leaves nothing half done when it is killed at any moment, and succeeds when run again', async () => {
    const bytes = 120e6;
    const archive = await here.zip(libtorchEntries('2.11.0+cpu', bytes));
    // One cache for each moment: in a common one, all but the first would be killed while they wait for its lock.
    const moments = [1, bytes / 2, bytes + 1, 1.5 * bytes, 1.9 * bytes];
    const caches = await Promise.all(
      moments.map(async (moment, i) => {
        const killed = join(here.root, `cache-${i}`);
        const child = setup(archive, killed);
        while (bytesStaged(killed) < moment && child.exitCode === null) await wait(1);
        child.kill('SIGKILL');
        if (child.exitCode === null) await once(child, 'close');
        return killed;
      }),
    );
    const halfDone = caches.filter((killed) => !existsSync(join(killed, folderName)));
    expect(halfDone.length).toBeGreaterThan(2);
    await Promise.all(
      caches.map(async (killed) => {
        const next = { ...here.env, KARLO_CACHE: killed };
        if (!halfDone.includes(killed)) findLibTorch({ env: next });
        const { folder } = await setUpLibTorch({ env: next, archives: [archive] });
        expect(statSync(join(folder, 'lib/libtorch_cpu.so')).size).toBe(bytes);
        expect(readdirSync(killed)).toEqual([folderName]);
      }),
    );
  });

  function bytesStaged(folder: string): number {
    if (!existsSync(folder)) return 0;
    const staging = readdirSync(folder).find((name) => name.startsWith('.staging-'));
    if (staging === undefined) return 0;
    return ['libc10.so', 'libtorch_cpu.so']
      .map((name) =>
        statSync(join(folder, staging, 'libtorch/lib', name), { throwIfNoEntry: false }),
      )
      .reduce((sum, stat) => sum + (stat?.size ?? 0), 0);
  }

  // A module `pip` that downloads for a minute. Python is the machine's own.
  function slowPip(): NodeJS.ProcessEnv {
    mkdirSync(join(here.root, 'site/pip'), { recursive: true });
    writeFileSync(join(here.root, 'site/pip/__init__.py'), '');
    writeFileSync(
      join(here.root, 'site/pip/__main__.py'),
      `import os, sys, time
if '--version' not in sys.argv:
    with open(${JSON.stringify(join(here.root, 'pid'))}, 'w') as file:
        file.write(str(os.getpid()))
    with open(os.path.join(os.environ['TMPDIR'], 'part'), 'wb') as part:
        for _ in range(600):
            part.write(bytes(1000)); part.flush(); time.sleep(0.1)
`,
    );
    return { PYTHONPATH: join(here.root, 'site') };
  }

  function alive(pid: number): boolean {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  }

  test.each<[NodeJS.Signals, boolean]>([
    ['SIGINT', true],
    ['SIGTERM', true],
    ['SIGKILL', false],
  ])('%s while pip downloads also ends pip', async (signal, cleansUp) => {
    const child = fetching(slowPip());
    const pidFile = join(here.root, 'pid');
    while (!existsSync(pidFile) || readFileSync(pidFile, 'utf8') === '') await wait(20);
    const pid = Number(readFileSync(pidFile, 'utf8'));
    expect(alive(pid)).toBe(true);
    child.kill(signal);
    const [status] = await once(child, 'close');
    if (cleansUp) {
      expect(status).toBe(130);
      expect(here.leftovers()).toEqual([]);
    }
    await expect.poll(() => alive(pid), { timeout: 5_000 }).toBe(false);
  });

  test('cleans up and exits with 130 when it is interrupted', async () => {
    const child = setup(await here.zip(libtorchEntries('2.11.0+cpu', 200e6)));
    await once(child.stderr, 'data');
    child.kill('SIGINT');
    const [status] = await once(child, 'close');
    expect(status).toBe(130);
    expect(here.leftovers()).toEqual([]);
  });

  test('waits for another setup, and both succeed', async () => {
    const archive = await here.zip(libtorchEntries('2.11.0+cpu', 100e6));
    const children = [setup(archive), setup(archive)];
    const outputs = children.map(async (child) => {
      let text = '';
      child.stderr.on('data', (chunk) => {
        text += chunk;
      });
      const [status] = await once(child, 'close');
      return { status, text };
    });
    const ended = await Promise.all(outputs);
    expect(ended.map(({ status }) => status)).toEqual([0, 0]);
    expect(ended.filter(({ text }) => text.includes('Waiting for another process'))).toHaveLength(
      1,
    );
    expect(here.leftovers()).toEqual([]);
  });
});

describe('karlo setup', () => {
  test('prints the LibTorch that it finds as JSON', async () => {
    const result = await runProgram('dist/lib/cli/main.js', ['setup', '--json']);
    expect(result).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(result.stdout)).toMatchObject({ version: '2.11.0' });
  });

  test('exits with 2 for an unknown option', async () => {
    expect(await runProgram('dist/lib/cli/main.js', ['setup', '--nope'])).toMatchObject({
      status: 2,
    });
  });
});
