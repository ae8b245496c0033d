// Downloads the pinned wheels with the user's own pip, which knows their package index, proxy and
// certificates.
import { spawn, spawnSync } from 'node:child_process';
import { type Dirent, readdirSync, statSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KarloError } from '../errors.js';
import { requireFreeSpace } from '../util/free-space.js';
import type { Pin } from './pin.js';
import type { Source } from './pins.js';
import { libtorchMissing } from './setup-errors.js';
import { unpack } from './unpack.js';

export interface SetupProgress {
  /** `wait`: another process is setting LibTorch up. */
  phase: 'wait' | 'fetch' | 'unpack';
  /** Bytes. */
  done: number;
  /** Bytes; 0 if unknown. */
  total: number;
}

export interface FetchOptions {
  env: NodeJS.ProcessEnv;
  /** Whether downloads are forbidden. */
  offline: boolean;
  /** The places that were searched for LibTorch, for error messages. */
  tried: readonly string[];
  onProgress: (progress: SetupProgress) => void;
  freeBytes?: ((folder: string) => Promise<number>) | undefined;
  signal: AbortSignal;
}

/**
 * Downloads wheels and unpacks what LibTorch needs of them.
 * @param scratch a folder for temporary files
 * @param folder the LibTorch folder
 */
export async function fetchWheels(
  pins: readonly Pin[],
  { pipPlatforms, unpackedBytes }: Source,
  scratch: string,
  folder: string,
  options: FetchOptions,
): Promise<void> {
  const { onProgress, signal } = options;
  const wheels = await download(pins, pipPlatforms, scratch, options);
  let done = 0;
  const onBytes = (bytes: number) => {
    done += bytes;
    onProgress({ phase: 'unpack', done, total: Math.max(done, unpackedBytes) });
  };
  for (const [i, wheel] of wheels.entries()) {
    await unpack(wheel, folder, { wants: isAmong(pins[i]?.take ?? []), onBytes, signal });
    await rm(wheel);
  }
}

/** @throws {KarloError} ERR_KARLO_LIBTORCH_MISSING if downloads are forbidden */
export function requireOnline({ offline, tried }: FetchOptions): void {
  if (!offline) return;
  throw libtorchMissing(
    'LibTorch has to be downloaded, but KARLO_OFFLINE or --offline forbids it. Allow it: unset KARLO_OFFLINE',
    tried,
  );
}

// About 10,000 headers, which fill whole blocks of the disk.
const blockMargin = 100e6;

/** @throws {KarloError} ERR_KARLO_SETUP if the disk has less space than `bytes` */
export function requireSpace(folder: string, bytes: number, options: FetchOptions): Promise<void> {
  return requireFreeSpace(folder, bytes + blockMargin, {
    purpose: 'Setting up LibTorch',
    code: 'ERR_KARLO_SETUP',
    freeBytes: options.freeBytes,
  });
}

/**
 * The disk space that `fetchWheels` takes at most: pip downloads each file to a temporary folder and
 * copies it to its target. It may also keep a copy in its cache, which is usually on another disk.
 */
export function bytesToFetch(pins: readonly Pin[], source: Source): number {
  const share = totalBytes(pins) / totalBytes(source.pins);
  return 2 * totalBytes(pins) + share * source.unpackedBytes;
}

function totalBytes(pins: readonly Pin[]): number {
  return pins.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Matches the names of files in a list in which folders end in `/`. */
export function isAmong(files: readonly string[]): (name: string) => boolean {
  return (name) =>
    files.some((file) => (file.endsWith('/') ? name.startsWith(file) : name === file));
}

/** Returns the wheels' paths, in the order of the pins. */
async function download(
  pins: readonly Pin[],
  pipPlatforms: readonly string[],
  scratch: string,
  { env, onProgress, signal }: FetchOptions,
): Promise<string[]> {
  const pip = findPip(env);
  if (pip === undefined) throw pipMissing();
  const [wheels, temporary] = [join(scratch, 'wheels'), join(scratch, 'temporary')];
  await mkdir(wheels);
  await mkdir(temporary);
  const requirements = join(scratch, 'requirements.txt');
  const lines = pins.map(({ requirement, sha256 }) => `${requirement} --hash=sha256:${sha256}`);
  await writeFile(requirements, `${lines.join('\n')}\n`);
  // Any Python may run pip: the wheels are used for their libraries only, so their tags are fixed.
  const python = ['--implementation', 'cp', '--python-version', '3.12'];
  const tags = ['--abi', 'cp312', '--abi', 'none'];
  const platforms = pipPlatforms.flatMap((name) => ['--platform', name]);
  const args = [
    ...['download', '--quiet', '--disable-pip-version-check', '--no-input', '--no-deps'],
    ...['--only-binary=:all:', '--require-hashes', '--dest', wheels, '-r', requirements],
    ...[...python, ...tags, ...platforms],
  ];
  // pip reports progress to terminals only, so the sizes of its files are polled.
  const total = totalBytes(pins);
  const report = () =>
    onProgress({ phase: 'fetch', done: Math.min(bytesUnder(scratch), total), total });
  const polling = setInterval(report, 200);
  try {
    // All three names, so that every temporary file is removed with the scratch folder.
    const variables = { TMPDIR: temporary, TEMP: temporary, TMP: temporary };
    await runPip(pip, args, { ...env, ...variables }, signal);
  } finally {
    clearInterval(polling);
  }
  const files = await readdir(wheels);
  return pins.map(({ requirement }) => join(wheels, wheelOf(requirement, files)));
}

function wheelOf(requirement: string, files: readonly string[]): string {
  const start = requirement.replaceAll('-', '_').replace('==', '-').toLowerCase();
  const file = files.find((name) => name.toLowerCase().startsWith(`${start}-`));
  if (file === undefined) throw libtorchMissing(`pip downloaded no wheel of ${requirement}.`);
  return file;
}

// pip removes files and folders while they are counted.
function bytesUnder(folder: string): number {
  return entriesOf(folder)
    .map((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return bytesUnder(path);
      return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    })
    .reduce((sum, bytes) => sum + bytes, 0);
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

const pipCommands = [
  ['python3', '-m', 'pip'],
  ['python', '-m', 'pip'],
  ['pip3'],
  ['pip'],
  ['py', '-m', 'pip'],
];

/** The first command that runs pip; undefined if there is none. */
export function findPip(env: NodeJS.ProcessEnv): string[] | undefined {
  return pipCommands.find(([program = '', ...args]) => {
    return spawnSync(program, [...args, '--version'], { stdio: 'ignore', env }).status === 0;
  });
}

function pipMissing(): KarloError {
  const tried = pipCommands.map((words) => words.join(' ')).join(', ');
  return libtorchMissing(
    `Expected pip, to download LibTorch, but none of these commands works: ${tried}.`,
  );
}

// Ends pip when its standard input is closed: a parent that was killed cannot end it.
const endWithParent = `
import os, runpy, sys, threading
def watch():
    while os.read(0, 1):
        pass
    os._exit(1)
threading.Thread(target=watch, daemon=True).start()
runpy.run_module("pip", run_name="__main__", alter_sys=True)
`;

/** Runs pip. When the promise settles, pip has ended, whether it succeeded, failed or was aborted. */
function runPip(
  [program = '', ...words]: readonly string[],
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<void> {
  const start = words[0] === '-m' ? ['-c', endWithParent] : words;
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const child = spawn(program, [...start, ...args], { env, stdio: ['pipe', 'ignore', 'pipe'] });
    const abort = () => child.kill('SIGKILL');
    signal.addEventListener('abort', abort);
    child.stdin.on('error', () => {}); // EPIPE when pip has ended
    let output = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
    child.on('error', reject);
    child.on('close', (status) => {
      signal.removeEventListener('abort', abort);
      if (signal.aborted) return reject(signal.reason);
      if (status === 0) return resolve();
      const end = output.trim().split('\n').slice(-8).join('\n  ');
      reject(libtorchMissing(`pip could not download LibTorch:\n  ${end}`));
    });
  });
}
