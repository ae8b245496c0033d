import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { atEnd } from './at-end.js';

const main = 'dist/lib/cli/main.js';

export interface Program {
  child: ChildProcess;
  /** What it said on stderr first. */
  said: string;
  log: () => string;
}

/** A process that ends with the test file at the latest. */
function launch(command: string, args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(command, args, { env: { ...process.env, ...env } });
  atEnd(() => child.kill('SIGKILL'));
  return child;
}

/** `karlo serve` or `karlo worker`, once it says that it is up. */
export async function karlo(args: string[], env: Record<string, string> = {}): Promise<Program> {
  const child = launch(process.execPath, [main, ...args], env);
  let log = '';
  child.stdout.on('data', (data) => {
    log += data;
  });
  let said = '';
  child.stderr.on('data', (data) => {
    said += data;
  });
  while (!/^karlo .*\n/m.test(said)) {
    if (child.exitCode !== null) throw new Error(`It ended: ${said}${log}`);
    await sleep(20);
  }
  return { child, said, log: () => log };
}

/** Where a server says that it listens. */
export function urlOf({ said }: Program): string {
  return /at (http:\S+)/.exec(said)?.[1] as string;
}

/** Ends a program by a signal. */
export async function end({ child }: Program, signal: NodeJS.Signals) {
  const exit = once(child, 'exit');
  child.kill(signal);
  return exit;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** A Redis server of the test's own, which keeps on disk what it holds. */
export class RedisServer {
  readonly url: string;
  readonly #port: number;
  readonly #folder = mkdtempSync(join(tmpdir(), 'karlo-redis-'));
  #child: ChildProcess | undefined;

  static async start(): Promise<RedisServer> {
    const server = new RedisServer(await freePort());
    await server.start();
    return server;
  }

  private constructor(port: number) {
    this.#port = port;
    this.url = `redis://127.0.0.1:${port}`;
    atEnd(() => rmSync(this.#folder, { recursive: true, force: true }));
  }

  async start(): Promise<void> {
    const settings = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
    const where = ['--port', String(this.#port), '--bind', '127.0.0.1', '--dir', this.#folder];
    const child = launch('redis-server', [...where, ...settings]);
    const failed = once(child, 'error').then(([error]) => {
      throw new Error(`The test needs redis-server (Debian: redis-server): ${error.message}`);
    });
    await Promise.race([failed, ready(child)]);
    this.#child = child;
  }

  /** As a crash would. */
  async kill(): Promise<void> {
    if (this.#child === undefined) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }
}

async function ready(child: ChildProcess): Promise<void> {
  let said = '';
  for await (const data of child.stdout ?? []) {
    said += data;
    if (said.includes('Ready to accept connections')) break;
  }
  child.stdout?.resume();
}

export async function until(condition: () => Promise<boolean> | boolean, seconds = 20) {
  const end = Date.now() + 1000 * seconds;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('It did not come about in time');
    await sleep(20);
  }
}
