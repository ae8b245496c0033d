// The npm packages of LibTorch: packages/libtorch-<platform>.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cpuLibraries } from '../../lib/libtorch/folder.js';
import { LIBTORCH_VERSION, libtorchPackage, sources } from '../../lib/libtorch/pins.js';
import { unpackedPath } from '../../lib/libtorch/unpack.js';
import { root } from '../../scripts/build/ready.mjs';
import { platformFields } from '../../scripts/package/libtorch.mjs';

const folders = readdirSync(join(root, 'packages')).filter((name) => name.startsWith('libtorch-'));

test('every platform with pinned wheels has a package, and no other', () => {
  const expected = Object.keys(sources).map((platform) => `libtorch-${platform}`);
  expect(folders.sort()).toEqual(expected.sort());
});

describe.each(Object.entries(sources))('the package for %s', (platform, { cpu }) => {
  const read = (name: string) =>
    readFileSync(join(root, 'packages', `libtorch-${platform}`, name), 'utf8');
  const lines = read('SHA256SUMS').trim().split('\n');
  const listed = lines.map((line) => line.slice(66));

  test('has the version of LibTorch, and ships what setup adds', () => {
    expect(JSON.parse(read('package.json'))).toMatchObject({
      name: libtorchPackage(platform),
      version: LIBTORCH_VERSION,
      private: true,
      files: ['lib', 'licenses', 'SHA256SUMS', 'karlo-libtorch.json'],
    });
  });

  test('lists the libraries that setup unpacks, with their hashes', () => {
    for (const line of lines) expect(line).toMatch(/^[0-9a-f]{64} {2}lib\/[\w.]+$/);
    const unpacked = (cpu?.pins ?? [])
      .flatMap(({ take }) => take.map((name) => unpackedPath(name)))
      .filter((path) => path?.startsWith('lib/') && !path.endsWith('.lib'));
    expect(listed.sort()).toEqual(unpacked.sort());
    for (const library of cpuLibraries('', platform)) {
      expect(listed).toContain(`lib/${basename(library)}`);
    }
  });

  test('names each library and each license file in its README', () => {
    const readme = read('README.md');
    const patterns = [...readme.matchAll(/`([\w.*]+\.(?:so|dylib|dll)[\w.]*)`/g)].map(
      ([, name = '']) => new RegExp(`^lib/${name.replaceAll('.', '\\.').replaceAll('*', '\\w+')}$`),
    );
    for (const library of listed) {
      expect(
        patterns.some((pattern) => pattern.test(library)),
        library,
      ).toBe(true);
    }
    for (const file of readdirSync(join(root, 'packages', `libtorch-${platform}`, 'licenses'))) {
      expect(readme).toContain(`licenses/${file.replace('-third-party-programs', '')}`);
    }
  });
});

test('npm installs a package only on its platform', () => {
  expect(platformFields('linux-arm64')).toEqual({ os: ['linux'], cpu: ['arm64'], libc: ['glibc'] });
  expect(platformFields('darwin-arm64')).toEqual({ os: ['darwin'], cpu: ['arm64'] });
  expect(platformFields('win32-x64')).toEqual({ os: ['win32'], cpu: ['x64'] });
});
