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
  /** What it wrote to stderr when it had started. */
  greeting: string;
  /** What it has written to stdout. */
  log: () => string;
  /** What it has written to stderr. */
  stderr: () => string;
}

/** Starts a process that ends with the test file at the latest. */
function launch(command: string, args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(command, args, { env: { ...process.env, ...env } });
  atEnd(() => child.kill('SIGKILL'));
  return child;
}

/** Starts `karlo serve` or `karlo worker`, and waits until it is ready. */
export async function karlo(args: string[], env: Record<string, string> = {}): Promise<Program> {
  const child = launch(process.execPath, [main, ...args], env);
  let log = '';
  child.stdout.on('data', (data) => {
    log += data;
  });
  let stderr = '';
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  while (!/^karlo .*\n/m.test(stderr)) {
    if (child.exitCode !== null) throw new Error(`karlo ${args[0]} exited: ${stderr}${log}`);
    await sleep(20);
  }
  return { child, greeting: stderr, log: () => log, stderr: () => stderr };
}

/** The URL at which a server listens. */
export function urlOf({ greeting }: Program): string {
  return /at (http:\S+)/.exec(greeting)?.[1] as string;
}

/** Sends a signal to a program, and waits for its exit and for the rest of its log. */
export async function end({ child }: Program, signal: NodeJS.Signals) {
  const exit = once(child, 'close');
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

/** A Redis server for one test file. It persists its data, so that it can be killed and restarted. */
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
    const location = ['--port', String(this.#port), '--bind', '127.0.0.1', '--dir', this.#folder];
    const persistence = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
    // `npm test` sets it: see scripts/build/test-tools.mjs.
    const program = process.env.KARLO_TEST_REDIS ?? 'redis-server';
    const child = launch(program, [...location, ...persistence]);
    const failed = once(child, 'error').then(([error]) => {
      throw new Error(`The test needs redis-server (Debian: redis-server): ${error.message}`);
    });
    await Promise.race([failed, ready(child)]);
    this.#child = child;
  }

  /** Simulates a crash. */
  async kill(): Promise<void> {
    if (this.#child === undefined) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }
}

async function ready(child: ChildProcess): Promise<void> {
  let stdout = '';
  for await (const data of child.stdout ?? []) {
    stdout += data;
    if (stdout.includes('Ready to accept connections')) break;
  }
  child.stdout?.resume();
}
