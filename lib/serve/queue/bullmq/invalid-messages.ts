import type { Logger } from 'pino';
import { InvalidMessage } from './wire-format.js';

/** Counts invalid messages, and logs why each one is invalid, without its content. */
export class InvalidMessages {
  readonly #log: Logger;
  #count = 0;

  constructor(log: Logger) {
    this.#log = log;
  }

  get count(): number {
    return this.#count;
  }

  /** Reads a message; undefined if it is invalid. */
  read<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      this.drop(error);
      return undefined;
    }
  }

  /** @throws any error that is not an InvalidMessage */
  drop(error: unknown): void {
    if (!(error instanceof InvalidMessage)) throw error;
    this.#count += 1;
    this.#log.warn({ reason: error.message }, 'dropped an invalid message from Redis');
  }
}

/**
 * Reads from Redis, or lets BullMQ do so.
 * @throws {InvalidMessage} if what is there is of another type, or if BullMQ cannot parse it
 */
export async function readStored<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const isDamaged =
      error instanceof SyntaxError ||
      error instanceof TypeError ||
      (error as Error).message.startsWith('WRONGTYPE');
    throw isDamaged ? new InvalidMessage('Invalid record') : error;
  }
}
