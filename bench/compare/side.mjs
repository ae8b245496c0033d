import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/**
 * A side's response to a request: seconds by name, or bytes.
 * @typedef {Record<string, number>} Answer
 */

/**
 * One side of the comparison: a process that reads a request as a line of JSON, executes it, and responds
 * with a line of JSON. While it waits, it computes nothing.
 */
export class Side {
  #child;
  #errors = '';
  /** @type {{ resolve(answer: any): void, reject(reason: Error): void } | undefined} */
  #asked;
  /** @type {Error | undefined} why it takes no more requests */
  #failure;
  /** @type {Promise<void>} */
  #ended;

  /**
   * @param {string} name for messages
   * @param {string} program
   * @param {readonly string[]} args
   * @param {Record<string, string>} [env] variables that are added to this process's
   */
  constructor(name, program, args, env) {
    this.name = name;
    this.#child = spawn(program, args, { stdio: 'pipe', env: { ...process.env, ...env } });
    this.#child.stderr.setEncoding('utf8').on('data', (text) => {
      this.#errors = `${this.#errors}${text}`.slice(-4000);
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#answer(line));
    // Writing to a process that has ended; 'close' reports the same.
    this.#child.stdin.on('error', () => {});
    this.#ended = new Promise((resolve) => {
      const fail = (/** @type {string} */ message, /** @type {unknown} */ cause) => {
        this.#failure ??= new Error(message, { cause });
        this.#asked?.reject(this.#failure);
        resolve();
      };
      this.#child.on('error', (cause) => fail(`${name} does not start: ${program}`, cause));
      this.#child.on('close', (status, signal) =>
        fail(`${name} ended with ${signal ?? status}\n${this.#errors}`, undefined),
      );
    });
  }

  /**
   * @param {object} request
   * @returns {Promise<any>}
   */
  ask(request) {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#asked = { resolve, reject };
      this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    });
  }

  /** @param {string} line */
  #answer(line) {
    const asked = this.#asked;
    this.#asked = undefined;
    const { error, ...answer } = JSON.parse(line);
    if (error === undefined) asked?.resolve(answer);
    else asked?.reject(new Error(`${this.name}: ${error}`));
  }

  /** Seconds of processor time used so far; undefined without /proc. */
  processorSeconds() {
    try {
      const stat = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8');
      // utime and stime, in ticks of 10 ms: proc_pid_stat(5), counted after the name in parentheses.
      const [user, system] = stat
        .slice(stat.lastIndexOf(')') + 2)
        .split(' ')
        .slice(11, 13);
      return (Number(user) + Number(system)) / 100;
    } catch {
      return undefined;
    }
  }

  /** Closes the input of the process, which ends it. */
  async end() {
    this.#child.stdin.end();
    await this.#ended;
  }

  /** Kills the process. */
  kill() {
    this.#child.kill('SIGKILL');
  }
}
