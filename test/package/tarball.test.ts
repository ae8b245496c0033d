// The tarball that npm would publish: its contents, and the reports of tools for package authors.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { root } from '../../scripts/build/ready.mjs';
import { floorOf, isAbove } from '../../scripts/package/floor.mjs';
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
  /^dist\/web\/(index\.html|licenses\.md|assets\/[\w-]+\.(js|css|svg))$/,
  /^native\/(?!test\/).+\.(cc|h)$/,
  /^models\/karlo-tiny\/(README\.md|.+\.(json|txt|safetensors))$/,
  /^prebuilds\/\w+-\w+\/(karlo(\.glibc)?\.node|(lib)?karlo\.(so|dylib|dll))$/,
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

  test('every version is exact', () => {
    const { dependencies, devDependencies, optionalDependencies } = manifest;
    const versions = { ...dependencies, ...devDependencies, ...optionalDependencies };
    for (const [name, version] of Object.entries(versions)) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
    }
  });

  test('no install scripts, in the package or in its dependencies', () => {
    const hooks = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish'];
    expect(Object.keys(manifest.scripts).filter((name) => hooks.includes(name))).toEqual([]);
    const scripted = installed.filter(([, { hasInstallScript, dev }]) => hasInstallScript && !dev);
    expect(scripted).toEqual([]);
  });

  // Overrides are not published: a version that users need is a dependency instead. light-my-request is one, because
  // later versions, which fastify accepts, require Node.js 22.
  test('no override concerns what users install', () => {
    const needed = installed.filter(([, { dev }]) => !dev).map(([path]) => path);
    for (const name of Object.keys(manifest.overrides)) {
      expect(needed.filter((path) => path.endsWith(`node_modules/${name}`))).toEqual([]);
    }
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
