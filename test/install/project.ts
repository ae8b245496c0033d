// A user's project, in an empty folder outside of this repository, on a machine that has Node and
// neither a compiler nor CMake nor Python.
import { spawn } from 'node:child_process';
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
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, expect } from 'vitest';
import type { ProgramResult } from '../support/run-program.js';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
export const tarballs = {
  karlo: join(root, 'build/packages', `karlo-${version}.tgz`),
  libtorch: join(root, 'build/packages/karlo-libtorch-linux-x64-2.11.0.tgz'),
};

/** A folder for projects that goes when the test file ends, whoever owns what is in it. */
export function projectsFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'karlo-install-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

interface How {
  env?: NodeJS.ProcessEnv;
  uid?: number;
  /** A Node other than the one that runs this. */
  node?: string;
}

export class Project {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  #pictures = 0;

  constructor(parent: string, name: string, manifest: object = {}) {
    this.folder = join(parent, name);
    mkdirSync(join(this.folder, 'out'), { recursive: true });
    const about = { name: 'a-users-project', version: '1.0.0', private: true, ...manifest };
    this.write('package.json', JSON.stringify(about));
    cpSync(join(root, 'test/install/programs'), this.folder, { recursive: true });
    this.env = bareEnvironment(parent);
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  /** Starts a program of Node's, in the project. */
  start(args: string[], { env, uid, node = process.execPath }: How = {}) {
    return spawn(node, args, {
      cwd: this.folder,
      env: { ...this.env, ...env },
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
  }

  /** The same, to its end. */
  node(args: string[], how: How = {}): Promise<ProgramResult> {
    const child = this.start(args, how);
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

  /** npm install, from npm's own cache where it has what is asked for. */
  async npmInstall(packages: string[]): Promise<void> {
    const quietly = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
    await this.npm(['install', ...quietly, ...packages]);
  }

  async npm(args: string[]): Promise<ProgramResult> {
    return succeeded(await this.node([npm(), ...args]));
  }

  /** Runs a program that writes the picture that its last argument names; checks the picture. */
  async makesPicture(args: string[], how: How = {}) {
    this.#pictures += 1;
    const picture = join(this.folder, 'out', `${this.#pictures}.png`);
    const ended = succeeded(await this.node([...args, picture], how));
    await isTheHeart(picture);
    return ended;
  }
}

/** Checks a picture, a file or its bytes, of 'a red heart on a white background' with seed 0. */
export async function isTheHeart(picture: string | Buffer): Promise<void> {
  // 1 from the reference and 1 from another batch size.
  expect(await differenceFromReference(picture)).toBeLessThanOrEqual(2);
}

export function succeeded(ended: ProgramResult): ProgramResult {
  const { status, signal, stdout, stderr } = ended;
  if (status === 0) return ended;
  throw new Error(`It ended with ${signal ?? status}:\n${stdout}${stderr}`);
}

/** Node alone on the PATH, an empty cache, and nothing of npm's that started this process. */
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
      !/^(npm_(package|lifecycle|command|config_local_prefix)|INIT_CWD|KARLO_|NODE_|VITEST)/i.test(
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

/** npm's own program, which Node runs. */
function npm(): string {
  const given = process.env.npm_execpath;
  if (given?.endsWith('npm-cli.js')) return given;
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

/** The largest difference from the reference's picture of a heart, in 1/255. */
async function differenceFromReference(picture: string | Buffer): Promise<number> {
  const reference = join(root, 'test/fixtures/pictures/heart-0.png');
  const [expected, found] = await Promise.all(
    [reference, picture].map((file) => sharp(file).removeAlpha().raw().toBuffer()),
  );
  expect(found?.length).toBe(expected?.length);
  return (expected as Buffer).reduce(
    (most, value, i) => Math.max(most, Math.abs(value - (found?.[i] as number))),
    0,
  );
}
