import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { KarloError } from '../../errors.js';
import { packageRequire } from '../../util/package.js';
import { damagedImage } from '../image-bytes.js';
import { type DecodingReply, type DecodingRequest, fromSentError } from './messages.js';

/** A process that runs main.ts, one task at a time. It keeps this program alive only during a task. */
export class DecodingProcess {
  readonly #child: ChildProcess;

  constructor() {
    // Compiled even where the other sources are not, as in tests.
    const program = packageRequire().resolve('./dist/lib/images/decoding/main.js');
    this.#child = fork(program, {
      // Not this program's own, such as --eval and --inspect.
      execArgv: [],
      serialization: 'advanced',
      stdio: ['pipe', 'ignore', 'ignore', 'ipc'],
    });
    // `run` reports these errors. Without a listener, they would end this program.
    this.#child.on('error', () => {});
    this.#child.stdin?.on('error', () => {});
    (this.#child.stdin as Socket | null)?.unref?.();
    this.#unref();
  }

  /** Whether it can run another task. */
  get isAlive(): boolean {
    return !this.#hasEnded && !this.#child.killed;
  }

  /** Whether it has ended, and not because a task was aborted. */
  get hasCrashed(): boolean {
    return this.#hasEnded && !this.#child.killed;
  }

  get #hasEnded(): boolean {
    const { connected, exitCode, signalCode } = this.#child;
    return !connected || exitCode !== null || signalCode !== null;
  }

  /**
   * Runs a task. Aborting the signal ends the process.
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT, also for an image that crashes it; ERR_KARLO_NATIVE if
   *   the process cannot be started
   */
  async run(request: DecodingRequest, bytes: Buffer, signal: AbortSignal): Promise<unknown> {
    signal.throwIfAborted();
    const child = this.#child;
    const { label } = request.options;
    this.#ref();
    const settled = new AbortController();
    try {
      const received = Promise.race([
        once(child, 'message', settled).catch(rethrowAsCannotRun),
        once(child, 'exit', settled).then(([status, name]) => throwExit(label, status, name)),
        once(signal, 'abort', settled).then(() => this.#abort(signal)),
      ]);
      // A process that has just ended cannot receive it: its `exit` says so, not this error.
      child.send(request, () => {});
      child.stdin?.write(bytes);
      const [reply] = (await received) as [DecodingReply];
      if ('error' in reply) throw fromSentError(reply.error);
      return reply.result;
    } finally {
      settled.abort();
      this.#unref();
    }
  }

  #abort(signal: AbortSignal): never {
    this.#child.kill('SIGKILL');
    throw signal.reason;
  }

  /** Lets the process end. */
  end(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  // In Bun, the child keeps the program alive, and its streams and channel have no such methods.
  #ref(): void {
    this.#child.ref();
    this.#child.channel?.ref?.();
  }

  #unref(): void {
    this.#child.unref();
    this.#child.channel?.unref?.();
  }
}

function throwExit(label: string, status: number | null, signal: string | null): never {
  if (signal !== null)
    throw damagedImage(label, new Error(`its decoding process ended with ${signal}`));
  return rethrowAsCannotRun(new Error(`it ended with status ${status}`));
}

function rethrowAsCannotRun(cause: Error): never {
  const message = `Expected a process that decodes images to run, but ${cause.message}. Check the limits on processes and memory`;
  throw new KarloError('ERR_KARLO_NATIVE', message, { cause });
}
