import { readdirSync, statSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runPip } from './pip.mjs';
import { findPip } from './python.mjs';
import { missing } from './setup-error.mjs';

/**
 * Downloads the pinned wheels by the user's own pip, which knows the index, the proxy and the
 * certificates, and refuses what does not have the pinned SHA-256.
 * @param {import('./pins.mjs').Pin[]} pins
 * @param {string[]} pipPlatform
 * @param {string} folder a folder for everything that pip writes
 * @param {object} options
 * @param {(total: number) => void} options.onBytes
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {AbortSignal | undefined} [options.signal]
 * @returns {Promise<string[]>} the wheels' paths, in the order of the pins
 */
export async function fetchWheels(pins, pipPlatform, folder, options) {
  const { onBytes, env = process.env, signal } = options;
  const { command, tried } = findPip(env);
  if (command === undefined) {
    throw missing(`Fetching LibTorch needs pip, which does not answer as: ${tried.join(', ')}.`);
  }
  const [wheels, temporary] = [join(folder, 'wheels'), join(folder, 'temporary')];
  await mkdir(wheels);
  await mkdir(temporary);
  const requirements = join(folder, 'requirements.txt');
  const lines = pins.map(({ requirement, sha256 }) => `${requirement} --hash=sha256:${sha256}`);
  await writeFile(requirements, `${lines.join('\n')}\n`);
  // The wheels of one fixed Python, whatever Python runs pip: only LibTorch is taken from them.
  const python = ['--implementation', 'cp', '--python-version', '3.12'];
  const tags = ['--abi', 'cp312', '--abi', 'none'];
  const platforms = pipPlatform.flatMap((name) => ['--platform', name]);
  const args = [
    ...['download', '--quiet', '--disable-pip-version-check', '--no-input', '--no-deps'],
    ...['--only-binary=:all:', '--require-hashes', '--dest', wheels, '-r', requirements],
    ...[...python, ...tags, ...platforms],
  ];
  // pip shows no progress to a pipe: the growing files do. Every name of the temporary folder is
  // set, for what is left there is then removed with the rest.
  const watch = setInterval(() => onBytes(bytesUnder(folder)), 200);
  try {
    await runPip(command, args, {
      env: { ...env, TMPDIR: temporary, TEMP: temporary, TMP: temporary },
      signal,
    });
  } finally {
    clearInterval(watch);
  }
  const files = await readdir(wheels);
  return pins.map(({ requirement }) => join(wheels, wheelOf(requirement, files)));
}

/**
 * @param {string} requirement `nvidia-cuda-runtime==13.0.96`
 * @param {string[]} files
 */
function wheelOf(requirement, files) {
  const start = requirement.replaceAll('-', '_').replace('==', '-').toLowerCase();
  const file = files.find((name) => name.toLowerCase().startsWith(`${start}-`));
  if (file === undefined) throw missing(`pip fetched no wheel of ${requirement}.`);
  return file;
}

/**
 * The size of what lies in a folder. pip removes files and folders while they are counted: what is
 * gone counts nothing.
 * @param {string} folder
 * @returns {number}
 */
function bytesUnder(folder) {
  let sum = 0;
  for (const entry of entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) sum += bytesUnder(path);
    else sum += statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  }
  return sum;
}

/** @param {string} folder */
function entriesOf(folder) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
