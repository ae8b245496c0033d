import { write, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { promisify } from 'node:util';
import { escapedJson } from '../util/visible-text.js';
import { prettyLine } from './pretty-log.js';
import type { LogFormat } from './settings.js';

/** Bytes of lines that wait while their reader is slower than the log. */
const maxWaiting = 1 << 20;
/** Milliseconds until the next try if a pipe is full. */
const retryAfter = 50;
/** Milliseconds that `end` waits for the last lines. */
const endTimeout = 500;

const writeBytes = promisify(write);

/**
 * Writes the log to a file descriptor without blocking or failing: lines that cannot be written are dropped and
 * counted. pino's own destination retries in a loop when a disk is full, which blocks the process.
 */
export class LogOutput {
  readonly #fd: number;
  readonly #warn: (message: string) => void;
  readonly #format: (line: string) => string;
  #lines: Buffer[] = [];
  /** Bytes of waiting lines and of those that are being written. */
  #bytes = 0;
  #dropped = 0;
  #writing: Promise<void> | undefined;

  /**
   * @param warn is called once, with the reason, when the first line is dropped
   * @param format turns a line of pino into the text to write
   */
  constructor(fd: number, warn: (message: string) => void, format = escapedJson) {
    this.#fd = fd;
    this.#warn = warn;
    this.#format = format;
  }

  /** The number of lines that were dropped. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Adds a line. pino calls this. */
  write(line: string): void {
    const bytes = Buffer.from(this.#format(line));
    if (this.#bytes + bytes.length > maxWaiting) {
      this.#drop(bytes, 'its reader is too slow');
      return;
    }
    this.#lines.push(bytes);
    this.#bytes += bytes.length;
    this.#writing ??= this.#writeLines();
  }

  /** Waits until all lines are written or dropped, for half a second at most. */
  async end(): Promise<void> {
    const timer = new AbortController();
    const timeout = sleep(endTimeout, undefined, { signal: timer.signal });
    await Promise.race([this.#writing, timeout]);
    timer.abort();
    await timeout.catch(() => {});
  }

  /** Writes the waiting lines when the process exits, where nothing asynchronous can run. */
  endNow(): void {
    try {
      if (this.#lines.length > 0) writeSync(this.#fd, Buffer.concat(this.#lines.splice(0)));
    } catch {}
  }

  async #writeLines(): Promise<void> {
    while (this.#lines.length > 0) {
      const bytes = Buffer.concat(this.#lines.splice(0));
      await this.#writeAll(bytes);
      this.#bytes -= bytes.length;
    }
    this.#writing = undefined;
  }

  async #writeAll(bytes: Buffer): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) {
      try {
        rest = rest.subarray((await writeBytes(this.#fd, rest)).bytesWritten);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') {
          this.#drop(rest, (error as Error).message);
          return;
        }
        await sleep(retryAfter, undefined, { ref: false });
      }
    }
  }

  #drop(bytes: Buffer, reason: string): void {
    if (this.#dropped === 0) this.#warn(reason);
    this.#dropped += bytes.toString('latin1').split('\n').length - 1;
  }
}

/** The log on stdout, for a process that must survive a full disk under its output. */
export function openLog(format: LogFormat): LogOutput {
  // A file that reaches its size limit ends the process by default.
  process.on('SIGXFSZ', () => {});
  process.stderr.on('error', () => {});
  const log = new LogOutput(1, warnOnStderr, formatterOf(format));
  process.on('exit', () => log.endNow());
  return log;
}

function warnOnStderr(reason: string): void {
  const consequence = 'Lines that cannot be written are dropped; the process continues';
  process.stderr.write(`warning: the log on stdout cannot be written: ${reason}. ${consequence}\n`);
}

function formatterOf(format: LogFormat): (line: string) => string {
  const isTerminal = isatty(1);
  if (format === 'json' || (format === 'auto' && !isTerminal)) return escapedJson;
  const colors = isTerminal && process.stdout.hasColors();
  return (line) => prettyLine(line, colors);
}
