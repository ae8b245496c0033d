// node scripts/package/floor.mjs [--most GLIBC=2.28 …]: prints the oldest glibc and libstdc++ that can load
// the prebuilt addon, which are the highest versions that its files require. With --most, exits with status
// 1 if one is higher.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { root } from '../build/ready.mjs';

/**
 * A stripped ELF file's string table names exactly the versions that it requires.
 * @param {string} folder
 * @returns {Record<string, string>} the highest of each kind: `{ GLIBC: '2.28', GLIBCXX: '3.4.21', … }`
 */
export function floorOf(folder) {
  /** @type {Record<string, string>} */
  const floor = {};
  for (const file of readdirSync(folder)) {
    const text = readFileSync(join(folder, file), 'latin1');
    for (const [, kind = '', version = ''] of text.matchAll(/\0(GLIBC|GLIBCXX|CXXABI)_([\d.]+)/g)) {
      if (isAbove(version, floor[kind] ?? '0')) floor[kind] = version;
    }
  }
  return floor;
}

/**
 * @param {string} version
 * @param {string} other
 */
export function isAbove(version, other) {
  const [a, b] = [version, other].map((text) => text.split('.').map(Number));
  for (let i = 0; i < 3; i += 1) {
    const difference = (a?.[i] ?? 0) - (b?.[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values } = parseArgs({
    options: { most: { type: 'string', multiple: true, default: [] } },
  });
  const floor = floorOf(join(root, 'prebuilds', `${process.platform}-${process.arch}`));
  console.log(JSON.stringify(floor));
  for (const limit of values.most) {
    const [kind = '', most = ''] = limit.split('=');
    if (!isAbove(floor[kind] ?? '0', most)) continue;
    console.error(
      `Expected at most ${kind} ${most} for the prebuilt addon but it requires ${floor[kind]}`,
    );
    process.exitCode = 1;
  }
}
