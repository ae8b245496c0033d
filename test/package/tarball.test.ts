// The tarball that npm would publish: its contents, and the reports of tools for package authors.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildTools } from '../../lib/libtorch/build-addon.js';
import { LIBTORCH_VERSION, libtorchPackage, sources } from '../../lib/libtorch/pins.js';
import { root } from '../../scripts/build/ready.mjs';
import { floorOf, isAbove } from '../../scripts/package/floor.mjs';
import { assembleKarloServe } from '../../scripts/package/karlo-serve.mjs';
import { npmPack, type Packed } from '../../scripts/package/pack.mjs';
import { prebuilds } from '../support/package-copy.js';

const read = (file: string) => readFileSync(join(root, file), 'utf8');
const manifest = JSON.parse(read('package.json'));
let packed: Packed;
let files: string[];

beforeAll(async () => {
  if (!existsSync(join(root, prebuilds)))
    throw new Error('Expected prebuilds. Build them: npm run prebuild');
  packed = await npmPack(root, ['--dry-run']);
  files = packed.files.map(({ path }) => path);
});

const allowed = [
  /^(package\.json|LICENSE|(README|NOTICE|CHANGELOG)\.md|CMakeLists\.txt)$/,
  /^dist\/lib\/.+\.(js|d\.ts)$/,
  /^lib\/verify\/reference\.py$/,
  /^dist\/web\/((index|404)\.html|licenses\.md|assets\/[\w-]+\.(js|css|svg|woff2))$/,
  /^native\/(?!test\/).+\.(cc|h|cu|cuh|in)$/,
  /^models\/karlo-tiny\/(README\.md|.+\.(json|txt|safetensors))$/,
  /^prebuilds\/\w+-\w+\/(karlo(\.glibc)?\.node|(lib)?karlo(_cuda)?\.(so|dylib|dll))$/,
];

describe('the tarball', () => {
  test('contains only allowed files, and at least one of each kind', () => {
    expect(files.filter((file) => !allowed.some((pattern) => pattern.test(file)))).toEqual([]);
    for (const pattern of allowed) expect(files.some((file) => pattern.test(file))).toBe(true);
  });

  test('is under 12 MB', () => {
    expect(packed.size).toBeLessThan(12e6);
  });

  test('contains every file that package.json names', () => {
    const { exports, bin } = manifest as {
      exports: Record<string, string | Record<string, string>>;
      bin: Record<string, string>;
    };
    const targets = Object.values(exports).flatMap((target) =>
      typeof target === 'string' ? [target] : Object.values(target),
    );
    for (const target of [...targets, ...Object.values(bin)]) {
      expect(files).toContain(target.replace(/^\.\//, ''));
    }
  });

  test('contains no compiled file without a source', () => {
    const compiled = files.filter((file) => /^dist\/lib\/.+\.js$/.test(file));
    const stale = compiled.filter(
      (file) => !existsSync(join(root, file.replace('dist/', '').replace(/\.js$/, '.ts'))),
    );
    expect(stale).toEqual([]);
  });

  test('contains the sources that CMake compiles', () => {
    // CMake globs the folders of native/, so all of its sources are compiled.
    const sources = readdirSync(join(root, 'native'), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(cc|h)$/.test(file))
      .map((file) => `native/${file}`);
    expect(sources.length).toBeGreaterThan(30);
    for (const source of sources) expect(files).toContain(source);
  });

  // Each of them packs 23 MB.
  test.each(['publint', 'attw'])('%s finds nothing', { timeout: 300_000 }, (name) => {
    const ended = spawnSync('npm', ['run', '--silent', name], { cwd: root, encoding: 'utf8' });
    expect(ended.stderr.replaceAll(/^npm warn .*\n/gm, '')).toBe('');
    expect(ended).toMatchObject({ status: 0 });
  });
});

describe('the supply chain', () => {
  const lock = JSON.parse(read('package-lock.json')).packages as Record<
    string,
    { hasInstallScript?: boolean; dev?: boolean; integrity?: string; link?: boolean }
  >;
  const installed = Object.entries(lock).filter(([path]) => path.includes('node_modules/'));

  test('users take fixes of their dependencies, and only LibTorch is exact', () => {
    const { dependencies, peerDependencies, optionalDependencies } = manifest;
    const ranges: Record<string, string> = { ...dependencies, ...peerDependencies };
    for (const [name, range] of Object.entries(ranges)) {
      for (const one of range.split(' || ')) expect(one, name).toMatch(/^\^\d+\.\d+\.\d+$/);
    }
    const names = Object.keys(sources)
      .map((platform) => libtorchPackage(platform))
      .sort();
    expect(optionalDependencies).toEqual(
      Object.fromEntries(names.map((name) => [name, LIBTORCH_VERSION])),
    );
  });

  test('a checkout has exact versions of its tools, and the optional packages of users', () => {
    const { devDependencies, peerDependencies } = manifest;
    const { dependencies } = JSON.parse(read('packages/karlo-serve/package.json'));
    const shared = { ...peerDependencies, ...dependencies };
    expect(devDependencies).toMatchObject({ ...shared, ...buildTools });
    for (const [name, version] of Object.entries(devDependencies)) {
      if (!(name in shared))
        expect(version, name).toMatch(/^(npm:[\w-]+@)?\d+\.\d+\.\d+(-[a-z]+\.\d+)?$/);
    }
  });

  test('the locked versions are within the ranges', () => {
    const ended = spawnSync('npm', ['ls', '--package-lock-only', '--all'], {
      cwd: root,
      encoding: 'utf8',
    });
    expect(ended).toMatchObject({ status: 0, stderr: '' });
  });

  test('every optional package is optional', () => {
    const { peerDependencies, peerDependenciesMeta } = manifest;
    const all = Object.keys(peerDependencies).map((name) => [name, { optional: true }]);
    expect(peerDependenciesMeta).toEqual(Object.fromEntries(all));
  });

  test('no install scripts, in the package or in its dependencies', () => {
    const hooks = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish'];
    expect(Object.keys(manifest.scripts).filter((name) => hooks.includes(name))).toEqual([]);
    const scripted = installed.filter(([, { hasInstallScript, dev }]) => hasInstallScript && !dev);
    expect(scripted).toEqual([]);
  });

  test('no overrides except of development dependencies: users would not get them', () => {
    const names = Object.keys(manifest.overrides ?? {});
    expect(names.filter((name) => !(name in manifest.devDependencies))).toEqual([]);
  });

  test('every package is locked by its hash', () => {
    const open = installed.filter(([, { integrity, link }]) => !integrity && !link);
    expect(open).toEqual([]);
  });
});

// For the prebuilds of this machine's compiler. The release builds against glibc 2.28, and checks that.
test.runIf(process.platform === 'linux')(
  'the required versions of glibc and libstdc++ are old enough',
  () => {
    const floor = floorOf(join(root, prebuilds));
    console.log('glibc and libstdc++ at least:', floor);
    expect(isAbove(floor.GLIBC ?? '', '2.34')).toBe(false);
    expect(isAbove(floor.GLIBCXX ?? '', '3.4.30')).toBe(false);
    expect(isAbove(floor.CXXABI ?? '', '1.3.11')).toBe(false);
  },
);

test.runIf(process.platform === 'linux')('the prebuilt addon is stripped', () => {
  for (const name of ['karlo.glibc.node', 'libkarlo.so']) {
    expect(readFileSync(join(root, prebuilds, name)).includes('.symtab')).toBe(false);
  }
});

test('karlo-serve depends on this version of karlo, and on the libraries of its server', async () => {
  const {
    name,
    version,
    private: isPrivate,
    bin,
    files,
    dependencies,
  } = JSON.parse(readFileSync(join(await assembleKarloServe(), 'package.json'), 'utf8'));
  expect({ name, version, isPrivate }).toEqual({ name: 'karlo-serve', version: manifest.version });
  expect(Object.values(bin).every((file) => files.includes(file))).toBe(true);
  const { bullmq, ioredis, ai, ...libraries } = manifest.peerDependencies;
  expect(dependencies).toEqual({
    karlo: manifest.version,
    'light-my-request': '~6.6.0', // later versions, which fastify accepts, require Node.js 22
    ...libraries,
  });
});
