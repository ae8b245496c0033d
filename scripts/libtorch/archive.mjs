import { createHash } from 'node:crypto';
import { accessSync, constants, createReadStream, existsSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { versionOf } from './find.mjs';
import { refuseOffline } from './offline.mjs';
import { platform } from './paths.mjs';
import { LIBTORCH_VERSION, pinnedBuild, sources } from './pins.mjs';
import { refused, wrongVersion } from './setup-error.mjs';
import { checkSpace } from './space.mjs';
import { inspect, placeOf, unpack } from './unpack.mjs';
import { bytesToFetch, fetchAndUnpack, wantedBy } from './wheels.mjs';

/**
 * An archive as its directory shows it.
 * @typedef {object} Archive
 * @property {string} path
 * @property {'zip' | 'wheel' | 'beside'} kind LibTorch's zip, torch's wheel, or a wheel that goes beside it
 * @property {string | undefined} build
 * @property {{ name: string, bytes: number }[]} entries
 *
 * @typedef {import('./pins.mjs').Flavour} Flavour
 */

/**
 * Fills a folder from files of the user's own. Each is looked at before anything is written.
 * @param {string} staging
 * @param {string} made
 * @param {Flavour} flavour
 * @param {import('./install.mjs').InstallOptions} options
 */
export async function fromArchives(staging, made, flavour, options) {
  const paths = options.archives.map((path) => resolve(path));
  for (const path of paths) checkReadable(path);
  if (options.sha256) await checkHash(paths[0] ?? '', options.sha256);
  const archives = [];
  for (const path of paths) archives.push(await look(path));
  const main = archives.find(({ kind }) => kind !== 'beside');
  if (main === undefined) {
    const names = paths.map((path) => basename(path)).join(', ');
    throw refused(`Expected LibTorch's zip or torch's wheel but ${names} holds neither`);
  }
  const source = sources[platform]?.[flavour];
  const lacking = lackingPins(main, archives, source);
  if (lacking.length > 0) refuseOffline(options);

  const wants = wantedFrom(flavour);
  const wanted = archives.flatMap(({ entries }) => entries).filter(({ name }) => wants(name));
  const total = wanted.reduce((sum, { bytes }) => sum + bytes, 0);
  const fetched = source ? bytesToFetch(source, lacking) : 0;
  await checkSpace(staging, total + fetched, options);
  let done = 0;
  const onBytes = (/** @type {number} */ bytes) => {
    done += bytes;
    options.onProgress?.({ phase: 'unpack', done, total });
  };
  for (const { path } of archives) {
    await unpack(path, made, { wants, onBytes, signal: options.signal });
  }
  await writeFile(join(made, 'build-version'), `${main.build}\n`);
  if (source && lacking.length > 0) {
    await fetchAndUnpack(source, lacking, staging, made, options);
  }
}

/** @param {string} path */
function checkReadable(path) {
  if (!existsSync(path)) throw refused(`Expected an archive at ${path}: nothing is there`);
  if (!statSync(path).isFile()) throw refused(`Expected an archive at ${path}: it is no file`);
  try {
    accessSync(path, constants.R_OK);
  } catch {
    throw refused(`Expected an archive at ${path}: it may not be read`);
  }
}

/**
 * @param {string} path
 * @returns {Promise<Archive>}
 */
async function look(path) {
  const { entries, text } = await inspect(path, /^(libtorch\/build-version|torch\/version\.py)$/);
  const inWheel = /__version__ = '([^']+)'/.exec(text ?? '')?.[1];
  const build = inWheel ?? text?.trim();
  if (build === undefined) return { path, kind: 'beside', build, entries };
  if (versionOf(build) !== LIBTORCH_VERSION) throw wrongVersion(path, build);
  return { path, kind: inWheel === undefined ? 'zip' : 'wheel', build, entries };
}

/**
 * The pinned wheels that torch's wheel needs and that were not given. The zip has all in itself.
 * @param {Archive} main
 * @param {Archive[]} archives
 * @param {import('./pins.mjs').Source | undefined} source
 */
function lackingPins({ kind, build = '', path }, archives, source) {
  if (kind === 'zip' || !build.includes('+cu')) return [];
  if (build !== pinnedBuild) {
    throw refused(
      `Expected torch's wheel of ${pinnedBuild}, or one for the CPU, but ${path} holds ${build}, whose CUDA is another`,
    );
  }
  const names = new Set(archives.flatMap(({ entries }) => entries.map(({ name }) => name)));
  return (source?.pins ?? []).filter(({ requirement }) => {
    const start = requirement.replaceAll('-', '_').replace('==', '-');
    return !requirement.startsWith('torch==') && !names.has(`${start}.dist-info/METADATA`);
  });
}

const cudaOnly = /^(?:lib)?torch\/lib\/(?:lib)?(?:torch_cuda|c10_cuda|torch_nvshmem|caffe2_nvrtc)/;
const neverNeeded = /\.(?:a|bc|pyi?)$|\/(?:lib)?torch_python|\/libshm\.|\/libtorch_global_deps\./;

/**
 * What a run of this flavour needs of an archive.
 * @param {Flavour} flavour
 * @returns {(name: string) => boolean}
 */
function wantedFrom(flavour) {
  if (flavour === 'cuda') return isWanted;
  const runtime = wantedBy((sources[platform]?.cpu?.pins ?? []).flatMap(({ take }) => take));
  return (name) =>
    isWanted(name) && !cudaOnly.test(name) && (!name.startsWith('nvidia/') || runtime(name));
}

/** @param {string} name */
function isWanted(name) {
  if (name === 'torch/version.py') return true;
  return placeOf(name) !== undefined && !neverNeeded.test(name);
}

/**
 * @param {string} path
 * @param {string} expected
 */
async function checkHash(path, expected) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  const actual = hash.digest('hex');
  if (actual !== expected.toLowerCase()) {
    throw refused(`Expected SHA-256 ${expected} for ${path} but it has ${actual}`);
  }
}
