import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findPip } from './python.mjs';
import { missing } from './setup-error.mjs';

/**
 * Downloads the pinned wheels by the user's own pip, which knows the index, the proxy and the
 * certificates, and refuses what does not have the pinned SHA-256.
 * @param {import('./pins.mjs').Pin[]} pins
 * @param {string[]} pipPlatform
 * @param {string} folder an empty folder for everything that pip writes
 * @param {{ onBytes: (total: number) => void, signal?: AbortSignal | undefined }} options
 * @returns {Promise<string[]>} the wheels' paths, in the order of the pins
 */
export async function fetchWheels(pins, pipPlatform, folder, { onBytes, signal }) {
  const { command, tried } = findPip();
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
  // pip shows no progress to a pipe: the growing files do.
  const watch = setInterval(() => onBytes(bytesUnder(folder)), 200);
  try {
    await runPip(command, args, temporary, signal);
  } finally {
    clearInterval(watch);
  }
  return pins.map(({ requirement }) => wheelOf(requirement, wheels));
}

/**
 * @param {string[]} command
 * @param {string[]} args
 * @param {string} temporary
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<void>}
 */
function runPip([program = '', ...words], args, temporary, signal) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...words, ...args], {
      env: { ...process.env, TMPDIR: temporary },
      stdio: ['ignore', 'ignore', 'pipe'],
      signal,
    });
    let output = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
    child.on('error', reject);
    child.on('close', (status) => {
      if (signal?.aborted) return reject(signal.reason);
      if (status === 0) return resolve();
      const end = output.trim().split('\n').slice(-8).join('\n  ');
      reject(missing(`pip could not fetch LibTorch. It says:\n  ${end}`));
    });
  });
}

/**
 * @param {string} requirement `nvidia-cuda-runtime==13.0.96`
 * @param {string} folder
 */
function wheelOf(requirement, folder) {
  const start = requirement.replaceAll('-', '_').replace('==', '-').toLowerCase();
  const file = readdirSync(folder).find((name) => name.toLowerCase().startsWith(`${start}-`));
  if (file === undefined) throw missing(`pip fetched no wheel of ${requirement}.`);
  return join(folder, file);
}

/**
 * @param {string} folder
 * @returns {number}
 */
function bytesUnder(folder) {
  if (!existsSync(folder)) return 0;
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return files.reduce((sum, file) => {
    const stat = statSync(join(folder, file), { throwIfNoEntry: false });
    return sum + (stat?.isFile() ? stat.size : 0);
  }, 0);
}
