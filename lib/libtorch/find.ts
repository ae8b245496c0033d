import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { packageFolder, packageRequire, unpacked } from '../util/package.js';
import { missingFlag } from '../util/permission.js';
import {
  cachedLibTorch,
  describeLibTorch,
  includeDir,
  type LibTorch,
  manifestFile,
  missingLibraries,
  readBuild,
  versionOf,
} from './folder.js';
import {
  LIBTORCH_VERSION,
  libtorchPackage,
  platform as thisPlatform,
  type Variant,
} from './pins.js';
import { libtorchMissing, wrongVersion } from './setup-errors.js';

export interface FindOptions {
  /** Default `process.env`. */
  env?: NodeJS.ProcessEnv;
  /** Only a LibTorch with headers, to build against. */
  headers?: boolean;
  /** Default: this machine's. For another one, only the cache folder is searched. */
  platform?: string;
}

/**
 * Finds LibTorch: the folder that `KARLO_LIBTORCH` names; the CUDA build in the cache folder, which
 * the user asked for; the platform's npm package; the CPU build in the cache folder; Python's torch.
 * Only the last one starts a process; the others take a few milliseconds.
 * @throws {KarloError} ERR_KARLO_LIBTORCH_MISSING, ERR_KARLO_LIBTORCH_VERSION
 */
export function findLibTorch(options: FindOptions = {}): LibTorch {
  const { found, tried } = searchLibTorch(options);
  if (found) return found;
  throw libtorchMissing(`LibTorch ${LIBTORCH_VERSION} was not found.`, tried);
}

export interface Search {
  found?: LibTorch;
  /** The places that were searched, each with the reason why it cannot be used. */
  tried: string[];
}

/**
 * Like `findLibTorch`, but returns what was tried instead of throwing if there is none.
 * @throws {KarloError} if the folder that `KARLO_LIBTORCH` names cannot be used
 */
export function searchLibTorch(options: FindOptions): Search {
  const { env = process.env, headers = false, platform = thisPlatform } = options;
  if (env.KARLO_LIBTORCH && platform === thisPlatform)
    return { found: useNamed(resolve(env.KARLO_LIBTORCH)), tried: [] };
  const tried: string[] = [];
  for (const { source, name, locate } of places(env, platform)) {
    const { folder, problem } = examine(locate, headers, platform);
    if (folder !== undefined && problem === undefined) {
      return { found: describeLibTorch(folder, source, platform), tried };
    }
    tried.push(`${name}: ${problem}${folder === undefined ? '' : ` (${folder})`}`);
  }
  return { tried };
}

/** The folder of a place, and why it cannot be used. */
function examine(
  locate: Place['locate'],
  headers: boolean,
  platform: string,
): { folder?: string | undefined; problem?: string | undefined } {
  try {
    const folder = locate();
    return {
      folder,
      problem: folder === undefined ? 'not found' : problemWith(folder, headers, platform),
    };
  } catch (error) {
    const flag = missingFlag(error);
    if (flag === undefined) throw error;
    return { problem: `Node.js runs with --permission and without ${flag}` };
  }
}

interface Place {
  readonly source: LibTorch['source'];
  readonly name: string;
  readonly locate: () => string | undefined;
}

function places(env: NodeJS.ProcessEnv, platform: string): Place[] {
  const cached = (variant: Variant) => () => cachedLibTorch(env, variant, platform);
  const cache: Place = { source: 'cache', name: 'cache', locate: cached('cpu') };
  if (platform !== thisPlatform) return [cache];
  const inPackage = libtorchPackage(platform);
  return [
    { source: 'cache', name: 'cache, with CUDA', locate: cached('cuda') },
    { source: 'package', name: `npm package ${inPackage}`, locate: () => locatePackage(inPackage) },
    cache,
    { source: 'python', name: "Python's torch", locate: () => findPythonTorch(env) },
  ];
}

function useNamed(folder: string): LibTorch {
  const problem = problemWith(folder, false);
  if (problem === undefined) return describeLibTorch(folder, 'KARLO_LIBTORCH');
  const build = readBuild(folder);
  if (build !== undefined && versionOf(build) !== LIBTORCH_VERSION)
    throw wrongVersion(folder, build);
  throw libtorchMissing(
    `The folder that KARLO_LIBTORCH names cannot be used: ${folder} ${problem}.`,
  );
}

/** Why a folder cannot be used, as a verb phrase; undefined if it can. */
function problemWith(
  folder: string,
  headers: boolean,
  platform = thisPlatform,
): string | undefined {
  if (!existsSync(folder)) return 'does not exist';
  const build = readBuild(folder);
  if (build === undefined) return 'does not state its version';
  if (versionOf(build) !== LIBTORCH_VERSION) return `contains ${build}`;
  const missing = missingLibraries(folder, platform);
  if (missing.length > 0) return `has no ${missing.join(', ')}`;
  return headers && includeDir(folder) === undefined ? 'has no headers' : undefined;
}

// Resolves the manifest, not package.json: in a checkout, the package is a workspace without LibTorch.
function locatePackage(name: string): string | undefined {
  try {
    return unpacked(dirname(packageRequire().resolve(`${name}/${manifestFile}`)));
  } catch {
    return undefined;
  }
}

// Importing torch would take seconds.
const locateTorch =
  'import importlib.util as u; s = u.find_spec("torch"); print(s and s.origin or "")';

function findPythonTorch(env: NodeJS.ProcessEnv): string | undefined {
  const { status, stdout } = spawnSync('python3', ['-c', locateTorch], {
    // Python imports from its working directory first, and the user's may contain a folder `torch`.
    cwd: packageFolder(),
    encoding: 'utf8',
    env,
    timeout: 10_000,
  });
  const origin = status === 0 ? stdout.trim() : '';
  return origin === '' ? undefined : origin.replace(/[\\/]__init__\.py$/, '');
}
