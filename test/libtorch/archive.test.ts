import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { setUpLibTorch } from '../../lib/libtorch/setup.js';
import { libtorchEntries, makeZip } from './make-libtorch.js';
import { catchFind, failure, folderName, linux, makeFolder, useCache } from './use-cache.js';

const here = useCache();

describe.runIf(linux)('setUpLibTorch with archives', () => {
  test('unpacks what is needed, writes a manifest, and leaves no other files', async () => {
    const phases = new Set<string>();
    const made = await setUpLibTorch({
      env: here.env,
      archives: [await here.zip()],
      onProgress: ({ phase }) => phases.add(phase),
    });
    const folder = join(here.cache(), folderName);
    expect(made).toMatchObject({ folder, source: 'cache', build: '2.11.0+cpu' });
    expect(made.includeDir).toBe(join(folder, 'include'));
    expect(readdirSync(join(folder, 'lib')).sort()).toEqual(['libc10.so', 'libtorch_cpu.so']);
    expect(readFileSync(join(folder, 'lib/libc10.so'))).toEqual(Buffer.alloc(1000, 1));
    expect(JSON.parse(readFileSync(join(folder, 'karlo-libtorch.json'), 'utf8'))).toEqual({
      version: '2.11.0',
      build: '2.11.0+cpu',
      libraries: { 'libc10.so': 1000, 'libtorch_cpu.so': 1000 },
    });
    expect(here.leftovers()).toEqual([]);
    expect([...phases]).toEqual(['unpack']);
    expect(await setUpLibTorch({ env: here.env, offline: true })).toMatchObject({ folder });
  });

  test('takes a CUDA wheel and the wheels that it requires, offline', async () => {
    const archives = await cudaWheels();
    for (const some of [archives.slice(0, 1), archives.slice(0, 2)]) {
      const error = await failure(setUpLibTorch({ env: here.env, archives: some, offline: true }));
      expect(error.message).toContain('--offline forbids it');
      expect(here.leftovers()).toEqual([]);
    }
    const made = await setUpLibTorch({ env: here.env, archives, offline: true, cuda: false });
    expect(made.build).toBe('2.11.0+cu130');
    expect(made.folder).toBe(join(here.cache(), folderName));
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
      makeZip(join(here.root, `${name}.whl`), { ...entries, [`${name}.dist-info/METADATA`]: '' });
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

  test('rejects a wheel of another CUDA version, which does not match the pinned wheels', async () => {
    const wheel = await makeZip(join(here.root, 'torch.whl'), {
      'torch/version.py': "__version__ = '2.11.0+cu126'\n",
    });
    const error = await failure(setUpLibTorch({ env: here.env, archives: [wheel] }));
    expect(error.message).toMatch(/2\.11\.0\+cu130.* but .* contains 2\.11\.0\+cu126/);
  });

  test('replaces an earlier folder, and detects a truncated library', async () => {
    const { folder } = await setUpLibTorch({ env: here.env, archives: [await here.zip()] });
    truncateSync(join(folder, 'lib/libtorch_cpu.so'), 10);
    expect(catchFind(here.env).message).toMatch(/cache: has no .*libtorch_cpu\.so/);
    await setUpLibTorch({
      env: here.env,
      archives: [await here.zip(libtorchEntries('2.11.0+cpu', 2000))],
    });
    expect(statSync(join(folder, 'lib/libtorch_cpu.so')).size).toBe(2000);
    expect(here.leftovers()).toEqual([]);
  });

  test('installs nothing that KARLO_LIBTORCH would override', async () => {
    const own = makeFolder(join(here.root, 'own'), '2.11.0+cpu');
    const named = { ...here.env, KARLO_LIBTORCH: own };
    for (const options of [{ cuda: true }, { archives: [await here.zip()] }]) {
      const error = await failure(setUpLibTorch({ env: named, ...options }));
      expect(error.message).toContain('unset KARLO_LIBTORCH');
    }
    expect(existsSync(here.cache())).toBe(false);
  });

  test.skipIf(process.getuid?.() === 0)('names a folder that is not writable', async () => {
    mkdirSync(here.cache(), { mode: 0o500 });
    const error = await failure(setUpLibTorch({ env: here.env, archives: [await here.zip()] }));
    expect(error).toMatchObject({ code: 'ERR_KARLO_SETUP' });
    expect(error.message).toContain('export KARLO_CACHE=');
  });

  test('names a cache folder that is a file', async () => {
    writeFileSync(here.cache(), '');
    const error = await failure(setUpLibTorch({ env: here.env, archives: [await here.zip()] }));
    expect(error).toMatchObject({ code: 'ERR_KARLO_SETUP' });
    expect(error.message).toMatch(/EEXIST|ENOTDIR/);
    expect(error.message).toContain('export KARLO_CACHE=');
  });

  test.each<[string, () => Promise<string>, RegExp]>([
    ['another version', () => here.zip(libtorchEntries('2.10.0+cpu')), /2\.11\.0.*2\.10\.0\+cpu/s],
    [
      'a zip of something else',
      () => makeZip(join(here.root, 'x.zip'), { a: 'b' }),
      /Expected LibTorch's zip or torch's wheel but received x\.zip/,
    ],
    [
      'a file that is no zip',
      () => Promise.resolve(fileURLToPath(import.meta.url)),
      /is damaged or something else: /,
    ],
    ['a folder', () => Promise.resolve(tmpdir()), /it is not a file/],
    [
      'a path without a file',
      () => Promise.resolve(join(here.root, 'none.zip')),
      /it does not exist/,
    ],
    ['a zip without libraries', withoutLibraries, /has no libtorch_cpu\.so/],
    ['a zip for another processor', foreign, /is for another processor/],
    ['a truncated zip', truncated, /is damaged or something else: /],
    ['a damaged zip', damaged, /fails its checksum/],
    [
      'a zip with a path out of the folder',
      climbing,
      /is damaged or something else: .*(invalid relative path|\.\.)/,
    ],
  ])('rejects %s, and leaves nothing', async (_name, make, message) => {
    const error = await failure(setUpLibTorch({ env: here.env, archives: [await make()] }));
    expect(error.message).toMatch(message);
    expect(error.code).toMatch(/^ERR_KARLO_(SETUP|LIBTORCH_VERSION)$/);
    expect(error.message).toContain('npx karlo setup --archive libtorch.zip');
    expect(here.leftovers()).toEqual([]);
    expect(existsSync(join(here.root, 'evil'))).toBe(false);
  });

  async function withoutLibraries() {
    const { 'libtorch/lib/libtorch_cpu.so': _, ...rest } = libtorchEntries();
    return makeZip(join(here.root, 'libtorch.zip'), rest);
  }

  async function foreign() {
    const header = Buffer.alloc(64);
    header.write('\x7fELF', 'latin1');
    header.writeUInt16LE(8, 18); // MIPS
    return here.zip({ ...libtorchEntries(), 'libtorch/lib/libc10.so': header });
  }

  async function truncated() {
    const path = await here.zip();
    truncateSync(path, 1500);
    return path;
  }

  async function damaged() {
    const path = await here.zip();
    const bytes = readFileSync(path);
    bytes[bytes.indexOf(Buffer.alloc(100, 2)) + 50] = 3;
    writeFileSync(path, bytes);
    return path;
  }

  async function climbing() {
    const placeholder = 'libtorch/lib/xxxxxxxx';
    const path = await here.zip({ ...libtorchEntries(), [placeholder]: 'evil' });
    const bytes = readFileSync(path).toString('latin1');
    writeFileSync(
      path,
      bytes.replaceAll(placeholder, 'libtorch/../../../evil'.slice(0, 21)),
      'latin1',
    );
    return path;
  }

  test('checks the hash if one is given', async () => {
    const archives = [await here.zip()];
    const sha256 = '0'.repeat(64);
    const error = await failure(setUpLibTorch({ env: here.env, archives, sha256 }));
    expect(error.message).toMatch(/Expected SHA-256 0+ for .* but received [0-9a-f]{64}/);
  });

  test('detects a full disk before it writes, and says how to use another one', async () => {
    const freeBytes = async () => 1e6;
    const error = await failure(
      setUpLibTorch({ env: here.env, archives: [await here.zip()], freeBytes }),
    );
    expect(error.message).toMatch(/needs 0\.1 GB but .* has 0\.0 GB free.*export KARLO_CACHE=/);
    expect(here.leftovers()).toEqual([]);
  });

  test('does not install a CPU build if CUDA was requested', async () => {
    const error = await failure(
      setUpLibTorch({ env: here.env, archives: [await here.zip()], cuda: true }),
    );
    expect(error.message).toMatch(/^Expected LibTorch with CUDA but .* a CPU build\n/);
    expect(here.leftovers()).toEqual([]);
  });

  test('leaves nothing when it is aborted', async () => {
    const controller = new AbortController();
    const archives = [await here.zip(libtorchEntries('2.11.0+cpu', 20e6))];
    const onProgress = () => controller.abort();
    const attempt = setUpLibTorch({
      env: here.env,
      archives,
      onProgress,
      signal: controller.signal,
    });
    expect((await failure(attempt)).name).toBe('AbortError');
    expect(here.leftovers()).toEqual([]);
  });
});
