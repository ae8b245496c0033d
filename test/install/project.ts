// A user's project in an empty folder outside of this repository, on a machine with Node.js but without a compiler, CMake
// or Python.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import sharp from 'sharp';
import { afterAll, expect } from 'vitest';
import { root } from '../../scripts/build/ready.mjs';
import type { ProgramResult } from '../support/run-program.js';

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
export const tarballs = {
  karlo: join(root, 'build/packages', `karlo-${version}.tgz`),
  serve: join(root, 'build/packages', `karlo-serve-${version}.tgz`),
  libtorch: join(root, 'build/packages/karlo-libtorch-linux-x64-2.11.0.tgz'),
};

/** Creates a folder for projects that is deleted after the test file. */
export function projectsFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'karlo-install-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

interface RunOptions {
  env?: NodeJS.ProcessEnv;
  uid?: number;
  /** Another Node.js executable than the one that runs this. */
  node?: string;
}

export class Project {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  #images = 0;

  constructor(parent: string, name: string, manifest: object = {}) {
    this.folder = join(parent, name);
    mkdirSync(join(this.folder, 'out'), { recursive: true });
    const fields = { name: 'a-users-project', version: '1.0.0', private: true, ...manifest };
    this.write('package.json', JSON.stringify(fields));
    cpSync(join(root, 'test/install/programs'), this.folder, { recursive: true });
    this.env = bareEnvironment(parent);
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  /** Starts a Node.js program in the project's folder. */
  start(args: string[], { env, uid, node = process.execPath }: RunOptions = {}) {
    return spawn(node, args, {
      cwd: this.folder,
      env: { ...this.env, ...env },
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
  }

  /** Runs a Node.js program in the project's folder until it ends. */
  node(args: string[], options: RunOptions = {}): Promise<ProgramResult> {
    const child = this.start(args, options);
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (status, signal) => resolve({ status, signal, stdout, stderr }));
    });
  }

  /** Starts a server with these arguments, and checks its page and an image of its API. */
  async serves(args: string[]): Promise<void> {
    const server = this.start([...args, '--port', '0', '--device', 'cpu', '--dtype', 'float32']);
    const closed = once(server, 'close');
    try {
      const url = await addressIn(server.stderr);
      const page = await (await fetch(url)).text();
      const [script] = /assets\/[\w-]+\.js/.exec(page) ?? [];
      expect((await fetch(`${url}/${script}`)).status).toBe(200);
      const response = await fetch(`${url}/v1/images/generations`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ prompt: 'a red heart on a white background', seed: 0 }),
      });
      const { data } = (await response.json()) as { data: [{ b64_json: string }] };
      await expectHeart(Buffer.from(data[0].b64_json, 'base64'));
    } finally {
      server.kill('SIGTERM');
      await closed;
    }
  }

  /** Runs npm install, from npm's cache if possible. */
  async npmInstall(packages: string[]): Promise<void> {
    const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
    await this.npm(['install', ...flags, ...packages]);
  }

  async npm(args: string[], options: RunOptions = {}): Promise<ProgramResult> {
    return expectSuccess(await this.node([npm(), ...args], options));
  }

  /** Runs a program that writes an image to the path in its last argument, and checks the image. */
  async generates(args: string[], options: RunOptions = {}) {
    this.#images += 1;
    const image = join(this.folder, 'out', `${this.#images}.png`);
    const result = expectSuccess(await this.node([...args, image], options));
    await expectHeart(image);
    return result;
  }
}

/** Checks an image of 'a red heart on a white background' with seed 0, given as a file or its bytes. */
export async function expectHeart(image: string | Buffer): Promise<void> {
  // 1 for the difference from the reference, and 1 for another batch size.
  expect(await differenceFromReference(image)).toBeLessThanOrEqual(2);
}

async function addressIn(stream: Readable): Promise<string> {
  let printed = '';
  for await (const line of createInterface(stream)) {
    const [url] = /http:\S+/.exec(line) ?? [];
    if (url) return url;
    printed += `${line}\n`;
  }
  throw new Error(`The server printed no address:\n${printed}`);
}

export function expectSuccess(result: ProgramResult): ProgramResult {
  const { status, signal, stdout, stderr } = result;
  if (status === 0) return result;
  throw new Error(`The program ended with ${signal ?? status}:\n${stdout}${stderr}`);
}

/** Only Node.js on the PATH, an empty cache, and no variables of the npm that started this process. */
function bareEnvironment(parent: string): NodeJS.ProcessEnv {
  const bin = join(parent, '.bin');
  mkdirSync(bin, { recursive: true });
  try {
    symlinkSync(process.execPath, join(bin, 'node'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const inherited = Object.entries(process.env).filter(
    ([name]) =>
      !/^(npm_(package|lifecycle|command|config_local_prefix)|INIT_CWD|KARLO_|NODE_(?!EXTRA_CA_CERTS)|VITEST)/i.test(
        name,
      ),
  );
  return {
    ...Object.fromEntries(inherited),
    PATH: bin,
    KARLO_CACHE: join(parent, '.cache'),
    KARLO_OFFLINE: '1',
  };
}

/** npm's program for Node.js. */
function npm(): string {
  const running = process.env.npm_execpath;
  if (running?.endsWith('npm-cli.js')) return running;
  const found = (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'npm'))
    .find((path) => realpathOf(path) !== undefined);
  return realpathOf(found ?? '') ?? join(dirname(process.execPath), 'npm');
}

function realpathOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/** The largest difference from the reference's image of a heart, in 1/255. */
async function differenceFromReference(image: string | Buffer): Promise<number> {
  const reference = join(root, 'test/fixtures/pictures/heart-0.png');
  const [expected, found] = await Promise.all(
    [reference, image].map((file) => sharp(file).removeAlpha().raw().toBuffer()),
  );
  expect(found?.length).toBe(expected?.length);
  return (expected as Buffer).reduce(
    (max, value, i) => Math.max(max, Math.abs(value - (found?.[i] as number))),
    0,
  );
}
