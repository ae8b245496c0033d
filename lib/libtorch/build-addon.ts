// Builds the addon with CMake: for a checkout, and for `karlo setup --build` in an installed package.
import { type ExecFileException, execFile, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { KarloError } from '../errors.js';
import { writeThenRename } from '../util/files.js';
import { type BuildProgress, progressIn } from './build-progress.js';
import type { LibTorch } from './folder.js';

/** What an installed package is built with. A checkout has these packages as development dependencies. */
export const buildTools = { 'cmake-js': '8.0.0', 'node-addon-api': '8.9.2' };

export interface BuildOptions {
  /** The folder that contains CMakeLists.txt, from which the build tools can be resolved. */
  source: string;
  /** The build folder: the addon is written to its subfolder `Release`. */
  out: string;
  /** A LibTorch folder with headers. */
  libtorch: string;
  /** The include folder of CUDA's runtime, for CUDA graphs; without them by default. */
  cuda?: string | undefined;
  /** Builds the C++ tests as well. Default false. */
  tests?: boolean;
  /** The include folder of Catch2, for the C++ tests; by default, the compiler's include path. */
  catch2?: string | undefined;
  /** A toolchain file of CMake, to compile for another platform. */
  toolchain?: string;
  /** CMake's name of the only target to build. Default: all. */
  target?: string | undefined;
  /** Called when the build starts, and after each file. */
  onProgress?: (progress: BuildProgress) => void;
}

/** Compiles the addon. Rejects with the end of the compiler's output if that fails. */
export async function compileAddon(options: BuildOptions): Promise<void> {
  const { source, out, onProgress = () => {} } = options;
  onProgress({ done: 0, total: 0, unit: 'files' });
  await removeForeignCache(out, source);
  for (const command of ['configure', 'build']) {
    const args = [command, '--directory', source, '--out', out, ...flagsOf(options)];
    await runCmakeJs(source, args, onProgress);
  }
}

function flagsOf({ libtorch, cuda, tests, catch2, toolchain, target }: BuildOptions): string[] {
  const flags = [`--CDKARLO_LIBTORCH=${libtorch}`, `--CDKARLO_TESTS=${tests ? 'ON' : 'OFF'}`];
  if (catch2) flags.push(`--CDKARLO_CATCH2=${catch2}`);
  if (cuda) flags.push(`--CDKARLO_CUDA_INCLUDE=${cuda}`);
  if (toolchain) flags.push(`--CDCMAKE_TOOLCHAIN_FILE=${toolchain}`);
  if (target) flags.push('--target', target);
  return flags;
}

/** CMake refuses a build folder that was configured for another source folder, as in a copied checkout. */
async function removeForeignCache(out: string, source: string): Promise<void> {
  const cache = join(out, 'CMakeCache.txt');
  if (!existsSync(cache)) return;
  const former = /^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$/m.exec(readFileSync(cache, 'utf8'))?.[1];
  if (former && existsSync(former) && realpathSync(former) === realpathSync(source)) return;
  for (const name of ['CMakeCache.txt', 'CMakeFiles']) {
    await rm(join(out, name), { recursive: true, force: true });
  }
}

async function runCmakeJs(
  source: string,
  args: readonly string[],
  onProgress: (progress: BuildProgress) => void,
): Promise<void> {
  const cmakeJs = createRequire(join(source, 'package.json')).resolve('cmake-js/bin/cmake-js');
  const options = { cwd: source, maxBuffer: 100e6 };
  const running = promisify(execFile)(process.execPath, [cmakeJs, ...args], options);
  createInterface(running.child.stdout as Readable).on('line', (line) => {
    const progress = progressIn(line);
    if (progress) onProgress(progress);
  });
  try {
    await running;
  } catch (error) {
    throw programFailed(`cmake-js ${args.join(' ')}`, error as ExecFileException);
  }
}

function programFailed(
  command: string,
  { message, code, signal, stdout, stderr }: ExecFileException,
): Error {
  const status = typeof code === 'number' || signal ? ` with ${signal ?? code}` : `: ${message}`;
  return new Error(`${command} failed${status}\n${shorten(`${stdout}${stderr}`)}`);
}

/** The first error of npm is at the start of the output, that of a compiler near its end. */
function shorten(output: string): string {
  const lines = output.trimEnd().split('\n');
  if (lines.length <= 70) return lines.join('\n');
  return [...lines.slice(0, 20), '…', ...lines.slice(-50)].join('\n');
}

/**
 * Compiles the addon of an installed package, to the folder where node-gyp-build looks first.
 * @param root the package's folder
 * @throws {KarloError} ERR_KARLO_SETUP
 */
export async function buildInstalledAddon(
  root: string,
  libtorch: LibTorch,
  onProgress: (progress: BuildProgress) => void,
): Promise<void> {
  if (libtorch.includeDir === undefined) {
    throw setupError(
      `Expected LibTorch with headers but ${libtorch.folder} has none. Use one that has: unset KARLO_LIBTORCH`,
    );
  }
  requireTools();
  const folder = await mkdtemp(join(tmpdir(), 'karlo-build-'));
  try {
    const source = await copySources(root, folder);
    await installBuildTools(source);
    const out = join(folder, 'out');
    await compileAddon({ source, out, libtorch: libtorch.folder, onProgress });
    await copyFiles(join(out, 'Release'), join(root, 'build', 'Release'));
  } catch (error) {
    throw setupError(`The addon could not be built: ${(error as Error).message}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Copies what CMake compiles, because nothing is installed in the package's own folder. */
async function copySources(root: string, folder: string): Promise<string> {
  const source = join(folder, 'source');
  for (const name of ['CMakeLists.txt', 'native']) {
    await cp(join(root, name), join(source, name), { recursive: true });
  }
  const { binary } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const manifest = { private: true, binary, dependencies: buildTools };
  await writeFile(join(source, 'package.json'), JSON.stringify(manifest));
  return source;
}

async function installBuildTools(source: string): Promise<void> {
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const shell = process.platform === 'win32'; // npm is a script there
  try {
    await promisify(execFile)('npm', args, { cwd: source, shell });
  } catch (error) {
    throw programFailed('npm install of the build tools', error as ExecFileException);
  }
}

/** Replaces files instead of overwriting them: another process may have them open. */
async function copyFiles(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const name of await readdir(from)) {
    await writeThenRename(join(to, name), (temporary) => copyFile(join(from, name), temporary));
  }
}

function requireTools(): void {
  const compilers = [process.env.CXX, 'c++', 'g++', 'clang++'].filter((name) => name !== undefined);
  const missing: string[] = [];
  if (!canRun('cmake')) missing.push('CMake');
  if (process.platform !== 'win32' && !compilers.some(canRun)) missing.push('a C++17 compiler');
  if (missing.length === 0) return;
  throw setupError(
    `Expected CMake and a C++17 compiler on the PATH but did not find ${missing.join(' and ')}. Install both: ${installCommand()}`,
  );
}

function canRun(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
}

function installCommand(): string {
  switch (process.platform) {
    case 'darwin':
      return 'xcode-select --install; brew install cmake';
    case 'win32':
      return 'winget install Kitware.CMake Microsoft.VisualStudio.2022.BuildTools';
    default:
      return 'apt-get install cmake g++ make (Debian, Ubuntu), dnf install cmake gcc-c++ make (Fedora, RHEL)';
  }
}

function setupError(message: string): KarloError {
  return new KarloError('ERR_KARLO_SETUP', message);
}
