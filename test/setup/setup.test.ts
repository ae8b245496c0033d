import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findLibTorch } from '../../scripts/libtorch/index.mjs';
import { sources } from '../../scripts/libtorch/pins.mjs';
import { setUpLibTorch } from '../../scripts/libtorch/setup.mjs';
import { runProgram } from '../native/run-program.js';
import { libtorchEntries, makeZip } from './make-libtorch.js';

const linux = process.platform === 'linux';
const folderName = `libtorch-2.11.0-${process.platform}-${process.arch}-cpu`;

let cache: string;
let env: NodeJS.ProcessEnv;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'karlo-setup-'));
  // No python on the path: this machine's own torch must not be found.
  env = { PATH: join(cache, 'bin'), KARLO_CACHE: join(cache, 'cache') };
});
afterEach(() => rmSync(cache, { recursive: true, force: true }));

const cached = () => join(cache, 'cache');
const leftovers = () => readdirSync(cached()).filter((name) => name !== folderName);
const zip = (entries: Record<string, Buffer | string> = libtorchEntries()) =>
  makeZip(join(cache, 'libtorch.zip'), entries);
const failure = (attempt: Promise<unknown>) =>
  attempt.then(
    () => expect.unreachable('it did not fail'),
    (error: Error & { code?: string }) => error,
  );

function catchFind(environment: NodeJS.ProcessEnv): Error & { code?: string } {
  try {
    findLibTorch({ env: environment });
  } catch (error) {
    return error as Error;
  }
  return expect.unreachable('it did not fail');
}

function makeFolder(path: string, build: string): string {
  mkdirSync(join(path, 'lib'), { recursive: true });
  writeFileSync(join(path, 'build-version'), `${build}\n`);
  for (const name of ['libc10.so', 'libtorch_cpu.so']) writeFileSync(join(path, 'lib', name), '');
  return path;
}

describe.runIf(linux)('finding', () => {
  test('says where it looked and every way out, as commands', () => {
    const { code, message } = catchFind(env);
    expect(code).toBe('ERR_KARLO_LIBTORCH_MISSING');
    expect(message).toContain(join(cached(), folderName));
    for (const words of [
      '@karlo/libtorch-linux-x64: not there',
      "Python's torch",
      'npx karlo setup\n',
      'npm install @karlo/libtorch-linux-x64@2.11.0\n',
      'npx karlo setup --archive libtorch.zip',
      'pip install torch==2.11.0',
      'export KARLO_LIBTORCH=',
    ]) {
      expect(message).toContain(words);
    }
  });

  test('KARLO_LIBTORCH comes before the cache', () => {
    makeFolder(join(cached(), folderName), '2.11.0+cpu');
    expect(findLibTorch({ env })).toMatchObject({ source: 'cache', build: '2.11.0+cpu' });
    const own = makeFolder(join(cache, 'own'), '2.11.0+cu130');
    expect(findLibTorch({ env: { ...env, KARLO_LIBTORCH: own } })).toMatchObject({
      source: 'KARLO_LIBTORCH',
      folder: own,
      version: '2.11.0',
      build: '2.11.0+cu130',
      includeDir: undefined,
      cudaLibraries: undefined,
      gnuOpenMp: undefined,
      cpuLibraries: [join(own, 'lib/libc10.so'), join(own, 'lib/libtorch_cpu.so')],
    });
  });

  test('KARLO_LIBTORCH that does not serve is never passed over', () => {
    makeFolder(join(cached(), folderName), '2.11.0+cpu');
    const own = join(cache, 'own');
    const find = () => catchFind({ ...env, KARLO_LIBTORCH: own });
    expect(find().message).toContain(`${own}, which is not there`);
    mkdirSync(own);
    expect(find().message).toContain('does not say its version');
    writeFileSync(join(own, 'build-version'), '2.10.0+cpu');
    expect(find()).toMatchObject({
      code: 'ERR_KARLO_LIBTORCH_VERSION',
      message: expect.stringMatching(/Expected LibTorch 2\.11\.0 .* but it holds 2\.10\.0\+cpu/),
    });
    writeFileSync(join(own, 'build-version'), '2.11.0+cpu');
    expect(find().message).toContain('lacks');
  });

  test('a cached folder of another version, or half of one, is passed over and named', () => {
    const folder = makeFolder(join(cached(), folderName), '2.12.0+cpu');
    expect(catchFind(env).message).toContain(`holds 2.12.0+cpu (${folder})`);
    writeFileSync(join(folder, 'build-version'), '2.11.0+cpu');
    rmSync(join(folder, 'lib/libtorch_cpu.so'));
    expect(catchFind(env).message).toMatch(/cache: lacks .*libtorch_cpu\.so/);
  });

  test("the version is read from a wheel's and from the headers' own words, too", () => {
    const own = makeFolder(join(cache, 'own'), '');
    const find = () => findLibTorch({ env: { ...env, KARLO_LIBTORCH: own } }).build;
    rmSync(join(own, 'build-version'));
    mkdirSync(join(own, 'include/torch/headeronly'), { recursive: true });
    const header = join(own, 'include/torch/headeronly/version.h');
    writeFileSync(header, '#define TORCH_VERSION \\\n  "2.11.0"\n');
    expect(find()).toBe('2.11.0');
    writeFileSync(join(own, 'version.py'), "__version__ = '2.11.0+cu130'\ndebug = False\n");
    expect(find()).toBe('2.11.0+cu130');
  });

  test("Python's torch is the last that is asked", () => {
    const torch = join(cache, 'site/torch');
    mkdirSync(join(torch, 'lib'), { recursive: true });
    mkdirSync(join(cache, 'bin'));
    const python = `#!/bin/sh\necho ${join(torch, '__init__.py')}\n`;
    writeFileSync(join(cache, 'bin/python3'), python, { mode: 0o755 });
    writeFileSync(join(torch, 'version.py'), "__version__ = '2.9.1'\n");
    const path = process.env.PATH;
    process.env.PATH = [join(cache, 'bin'), path].join(delimiter);
    try {
      expect(catchFind(env).message).toContain(`Python's torch: holds 2.9.1 (${torch})`);
      makeFolder(torch, '2.11.0+cu130');
      writeFileSync(join(torch, 'version.py'), "__version__ = '2.11.0+cu130'\n");
      expect(findLibTorch({ env })).toMatchObject({ source: 'python', folder: torch });
      makeFolder(join(cached(), folderName), '2.11.0+cpu');
      expect(findLibTorch({ env }).source).toBe('cache');
    } finally {
      process.env.PATH = path;
    }
  });
});

describe.runIf(linux)('setting up from an archive', () => {
  test('unpacks what is needed, notes it, and leaves nothing beside it', async () => {
    const phases = new Set<string>();
    const made = await setUpLibTorch({
      env,
      archives: [await zip()],
      onProgress: ({ phase }) => phases.add(phase),
    });
    const folder = join(cached(), folderName);
    expect(made).toMatchObject({ folder, source: 'cache', build: '2.11.0+cpu' });
    expect(made.includeDir).toBe(join(folder, 'include'));
    expect(readdirSync(join(folder, 'lib')).sort()).toEqual(['libc10.so', 'libtorch_cpu.so']);
    expect(readFileSync(join(folder, 'lib/libc10.so'))).toEqual(Buffer.alloc(1000, 1));
    expect(JSON.parse(readFileSync(join(folder, 'karlo-libtorch.json'), 'utf8'))).toEqual({
      version: '2.11.0',
      build: '2.11.0+cpu',
      libraries: { 'libc10.so': 1000, 'libtorch_cpu.so': 1000 },
    });
    expect(leftovers()).toEqual([]);
    expect([...phases]).toEqual(['unpack']);
    expect(await setUpLibTorch({ env, offline: true })).toMatchObject({ folder });
  });

  test('a wheel of the CUDA build, with what it needs of CUDA beside it, works offline', async () => {
    const archives = await cudaWheels();
    for (const given of [archives.slice(0, 1), archives.slice(0, 2)]) {
      const error = await failure(setUpLibTorch({ env, archives: given, offline: true }));
      expect(error.message).toContain('--offline forbids it');
      expect(leftovers()).toEqual([]);
    }
    const made = await setUpLibTorch({ env, archives, offline: true, cuda: false });
    expect(made.build).toBe('2.11.0+cu130');
    expect(made.folder).toBe(join(cached(), folderName));
    expect(made.cudaLibraries).toBeUndefined();
    expect(readdirSync(join(made.folder, 'lib')).sort()).toEqual([
      'libc10.so',
      'libcudart.so.13',
      'libcupti.so.13',
      'libtorch_cpu.so',
    ]);
  });

  async function cudaWheels() {
    const wheel = (name: string, entries: Record<string, string>) =>
      makeZip(join(cache, `${name}.whl`), { ...entries, [`${name}.dist-info/METADATA`]: '' });
    return [
      await wheel('torch-2.11.0', {
        'torch/version.py': "__version__ = '2.11.0+cu130'\n",
        'torch/lib/libc10.so': 'c10',
        'torch/lib/libtorch_cpu.so': 'cpu',
        'torch/lib/libc10_cuda.so': 'cuda',
        'torch/lib/libtorch_cuda.so': 'cuda',
      }),
      await wheel('nvidia_cuda_runtime-13.0.96', { 'nvidia/cu13/lib/libcudart.so.13': 'runtime' }),
      await wheel('nvidia_cuda_cupti-13.0.85', {
        'nvidia/cu13/lib/libcupti.so.13': 'cupti',
        'nvidia/cu13/lib/libcheckpoint.so': 'not needed',
      }),
    ];
  }

  test('a wheel of another CUDA is refused: the pinned ones do not go with it', async () => {
    const wheel = await makeZip(join(cache, 'torch.whl'), {
      'torch/version.py': "__version__ = '2.11.0+cu126'\n",
    });
    const error = await failure(setUpLibTorch({ env, archives: [wheel] }));
    expect(error.message).toMatch(/2\.11\.0\+cu130.* but .* holds 2\.11\.0\+cu126/);
  });

  test('a former folder is replaced, and a library cut short is seen', async () => {
    const { folder } = await setUpLibTorch({ env, archives: [await zip()] });
    truncateSync(join(folder, 'lib/libtorch_cpu.so'), 10);
    expect(catchFind(env).message).toMatch(/cache: lacks .*libtorch_cpu\.so/);
    await setUpLibTorch({ env, archives: [await zip(libtorchEntries('2.11.0+cpu', 2000))] });
    expect(statSync(join(folder, 'lib/libtorch_cpu.so')).size).toBe(2000);
    expect(leftovers()).toEqual([]);
  });

  test('nothing is set up that KARLO_LIBTORCH would overrule', async () => {
    const own = makeFolder(join(cache, 'own'), '2.11.0+cpu');
    const named = { ...env, KARLO_LIBTORCH: own };
    for (const options of [{ cuda: true }, { archives: [await zip()] }]) {
      const error = await failure(setUpLibTorch({ env: named, ...options }));
      expect(error.message).toContain('unset KARLO_LIBTORCH');
    }
    expect(existsSync(cached())).toBe(false);
  });

  test.skipIf(process.getuid?.() === 0)('a folder that may not be written is named', async () => {
    mkdirSync(cached(), { mode: 0o500 });
    const error = await failure(setUpLibTorch({ env, archives: [await zip()] }));
    expect(error).toMatchObject({ code: 'ERR_KARLO_SETUP' });
    expect(error.message).toContain('export KARLO_CACHE=');
  });

  test('a cache folder that is a file is named', async () => {
    writeFileSync(cached(), '');
    const error = await failure(setUpLibTorch({ env, archives: [await zip()] }));
    expect(error).toMatchObject({ code: 'ERR_KARLO_SETUP' });
    expect(error.message).toMatch(/EEXIST|ENOTDIR/);
    expect(error.message).toContain('export KARLO_CACHE=');
  });

  test.each<[string, () => Promise<string>, RegExp]>([
    ['another version', () => zip(libtorchEntries('2.10.0+cpu')), /2\.11\.0.*2\.10\.0\+cpu/s],
    ['a zip of something else', () => makeZip(join(cache, 'x.zip'), { a: 'b' }), /holds neither/],
    ['no zip', () => Promise.resolve(fileURLToPath(import.meta.url)), /is none: /],
    ['a folder', () => Promise.resolve(tmpdir()), /it is no file/],
    ['nothing', () => Promise.resolve(join(cache, 'none.zip')), /nothing is there/],
    ['a zip without libraries', withoutLibraries, /lacks libtorch_cpu\.so/],
    ['a zip for another processor', foreign, /is for another processor/],
    ['a truncated zip', truncated, /is none: /],
    ['a damaged zip', damaged, /fails its checksum/],
    ['a zip that climbs out', climbing, /is none: .*(invalid relative path|\.\.)/],
  ])('%s is refused, and nothing is left', async (_name, make, message) => {
    const error = await failure(setUpLibTorch({ env, archives: [await make()] }));
    expect(error.message).toMatch(message);
    expect(error.code).toMatch(/^ERR_KARLO_(SETUP|LIBTORCH_VERSION)$/);
    expect(error.message).toContain('npx karlo setup --archive libtorch.zip');
    expect(leftovers()).toEqual([]);
    expect(existsSync(join(cache, 'evil'))).toBe(false);
  });

  async function withoutLibraries() {
    const { 'libtorch/lib/libtorch_cpu.so': _, ...rest } = libtorchEntries();
    return makeZip(join(cache, 'libtorch.zip'), rest);
  }

  async function foreign() {
    const header = Buffer.alloc(64);
    header.write('\x7fELF', 'latin1');
    header.writeUInt16LE(8, 18); // MIPS
    return zip({ ...libtorchEntries(), 'libtorch/lib/libc10.so': header });
  }

  async function truncated() {
    const path = await zip();
    truncateSync(path, 1500);
    return path;
  }

  async function damaged() {
    const path = await zip();
    const bytes = readFileSync(path);
    bytes[bytes.indexOf(Buffer.alloc(100, 2)) + 50] = 3;
    writeFileSync(path, bytes);
    return path;
  }

  async function climbing() {
    const placeholder = 'libtorch/lib/xxxxxxxx';
    const path = await zip({ ...libtorchEntries(), [placeholder]: 'evil' });
    const bytes = readFileSync(path).toString('latin1');
    writeFileSync(
      path,
      bytes.replaceAll(placeholder, 'libtorch/../../../evil'.slice(0, 21)),
      'latin1',
    );
    return path;
  }

  test('the hash is checked where one is given', async () => {
    const archives = [await zip()];
    const sha256 = '0'.repeat(64);
    const error = await failure(setUpLibTorch({ env, archives, sha256 }));
    expect(error.message).toMatch(/Expected SHA-256 0+ for .* but it has [0-9a-f]{64}/);
  });

  test('a full disk is seen before, and the way round it named', async () => {
    const freeBytes = async () => 1e6;
    const error = await failure(setUpLibTorch({ env, archives: [await zip()], freeBytes }));
    expect(error.message).toMatch(/needs 0\.1 GB but .* has 0\.0 GB free.*export KARLO_CACHE=/);
    expect(leftovers()).toEqual([]);
  });

  test('CUDA that was asked for is not replaced by a build without it', async () => {
    const error = await failure(setUpLibTorch({ env, archives: [await zip()], cuda: true }));
    expect(error.message).toMatch(/^Expected LibTorch with CUDA but .* without it\n/);
    expect(leftovers()).toEqual([]);
  });

  test('an abort stops it and leaves nothing', async () => {
    const controller = new AbortController();
    const archives = [await zip(libtorchEntries('2.11.0+cpu', 20e6))];
    const onProgress = () => controller.abort();
    const attempt = setUpLibTorch({ env, archives, onProgress, signal: controller.signal });
    expect((await failure(attempt)).name).toBe('AbortError');
    expect(leftovers()).toEqual([]);
  });
});

describe.runIf(linux)('set-ups that are killed, and several at once', () => {
  const karlo = fileURLToPath(new URL('../../dist/lib/cli/main.js', import.meta.url));
  const run = (args: string[], variables: NodeJS.ProcessEnv) =>
    spawn(process.execPath, [karlo, 'setup', ...args], {
      env: { ...process.env, KARLO_LIBTORCH: '', KARLO_OFFLINE: '', ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const setup = (archive: string, folder = cached()) =>
    run(['--archive', archive], { KARLO_CACHE: folder });
  const fetching = (variables: NodeJS.ProcessEnv) =>
    run([], { KARLO_CACHE: cached(), ...variables });

  test('a set-up killed at any moment leaves nothing half done, and the next succeeds', async () => {
    const bytes = 120e6;
    const archive = await zip(libtorchEntries('2.11.0+cpu', bytes));
    // A cache for each moment: in one, all but the first would be killed waiting for its lock.
    const moments = [1, bytes / 2, bytes + 1, 1.5 * bytes, 1.9 * bytes];
    const caches = await Promise.all(
      moments.map(async (moment, i) => {
        const killed = join(cache, `cache-${i}`);
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
        const next = { ...env, KARLO_CACHE: killed };
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

  // A pip that downloads for a minute, as its module: Python itself is this machine's.
  function slowPip(): NodeJS.ProcessEnv {
    mkdirSync(join(cache, 'site/pip'), { recursive: true });
    writeFileSync(join(cache, 'site/pip/__init__.py'), '');
    writeFileSync(
      join(cache, 'site/pip/__main__.py'),
      `import os, sys, time
if '--version' not in sys.argv:
    with open(${JSON.stringify(join(cache, 'pid'))}, 'w') as file:
        file.write(str(os.getpid()))
    with open(os.path.join(os.environ['TMPDIR'], 'part'), 'wb') as part:
        for _ in range(600):
            part.write(bytes(1000)); part.flush(); time.sleep(0.1)
`,
    );
    return { PYTHONPATH: join(cache, 'site') };
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
  ])('%s while pip downloads ends pip, too', async (signal, cleansUp) => {
    const child = fetching(slowPip());
    const pidFile = join(cache, 'pid');
    while (!existsSync(pidFile) || readFileSync(pidFile, 'utf8') === '') await wait(20);
    const pid = Number(readFileSync(pidFile, 'utf8'));
    expect(alive(pid)).toBe(true);
    child.kill(signal);
    const [status] = await once(child, 'close');
    if (cleansUp) {
      expect(status).toBe(130);
      expect(leftovers()).toEqual([]);
    }
    await expect.poll(() => alive(pid), { timeout: 5_000 }).toBe(false);
  });

  test('an interrupted set-up cleans up and ends with 130', async () => {
    const child = setup(await zip(libtorchEntries('2.11.0+cpu', 200e6)));
    await once(child.stderr, 'data');
    child.kill('SIGINT');
    const [status] = await once(child, 'close');
    expect(status).toBe(130);
    expect(leftovers()).toEqual([]);
  });

  test('two at once: one waits for the other, and both succeed', async () => {
    const archive = await zip(libtorchEntries('2.11.0+cpu', 100e6));
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
    expect(leftovers()).toEqual([]);
  });
});

describe('fetching', () => {
  test('offline, nothing is fetched, and the error says so', async () => {
    for (const options of [{ env: { ...env, KARLO_OFFLINE: '1' } }, { env, offline: true }]) {
      const error = await failure(setUpLibTorch(options));
      expect(error).toMatchObject({ code: 'ERR_KARLO_LIBTORCH_MISSING' });
      expect(error.message).toContain('KARLO_OFFLINE or --offline forbids it');
      expect(error.message).toContain('unset KARLO_OFFLINE');
      expect(error.message).toContain(`${join(cached(), folderName)}`);
    }
    const online = { env: { ...env, KARLO_OFFLINE: '0' }, freeBytes: async () => 0 };
    expect((await failure(setUpLibTorch(online))).message).toContain('0.0 GB free');
  });

  test('space is wanted for every copy that pip makes besides what is unpacked', async () => {
    const wheels = sources['linux-x64']?.cpu?.pins.reduce((sum, { bytes }) => sum + bytes, 0) ?? 0;
    const error = await failure(
      setUpLibTorch({ env, cuda: false, freeBytes: async () => 3 * wheels }),
    );
    expect(error.message).toMatch(/needs 1\.7 GB but .* has 1\.6 GB free/);
    expect(leftovers()).toEqual([]);
  });

  test('every file is pinned by its hash and its size', () => {
    for (const { cpu, cuda } of Object.values(sources)) {
      for (const { requirement, sha256, bytes, take } of [
        ...(cpu?.pins ?? []),
        ...(cuda?.pins ?? []),
      ]) {
        expect(requirement).toMatch(/^[a-z0-9-]+==\d[\d.]*$/);
        expect(sha256).toMatch(/^[0-9a-f]{64}$/);
        expect(bytes).toBeGreaterThan(1e6);
        expect(take.length).toBeGreaterThan(0);
      }
    }
  });

  test('what pip says is passed on, with the ways out', async () => {
    mkdirSync(join(cache, 'bin'));
    const pip =
      '#!/bin/sh\n[ "$3" = --version ] && exit 0\necho "THESE PACKAGES DO NOT MATCH THE HASHES" >&2\nexit 1\n';
    writeFileSync(join(cache, 'bin/python3'), pip, { mode: 0o755 });
    const path = process.env.PATH;
    process.env.PATH = [join(cache, 'bin'), path].join(delimiter);
    try {
      const error = await failure(setUpLibTorch({ env }));
      expect(error.message).toContain('THESE PACKAGES DO NOT MATCH THE HASHES');
      expect(error.message).toContain('npx karlo setup --archive');
      expect(leftovers()).toEqual([]);
    } finally {
      process.env.PATH = path;
    }
  });
});

describe('karlo setup', () => {
  test('finds what is there, as JSON too', async () => {
    const result = await runProgram('dist/lib/cli/main.js', ['setup', '--json']);
    expect(result).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(result.stdout)).toMatchObject({ version: '2.11.0' });
  });

  test('wrong usage is 2', async () => {
    expect(await runProgram('dist/lib/cli/main.js', ['setup', '--nope'])).toMatchObject({
      status: 2,
    });
  });
});
