/** Bytes per second that a transfer has to reach. Slower ones would hold a process for days. */
const minRate = 1024;

/** A transfer that is slower than the minimum rate. */
export class SlowTransfer extends Error {
  override readonly name = 'SlowTransfer';
}

/** An abort signal that follows the caller's signal, and also aborts if data arrives too slowly. */
export class TransferWatch {
  readonly signal: AbortSignal;
  readonly #timer: NodeJS.Timeout;
  #bytes = 0;

  /** @param window milliseconds in each of which the minimum rate has to be reached */
  constructor(window: number, signal: AbortSignal) {
    const seconds = window / 1000;
    const slow = new AbortController();
    this.#timer = setInterval(() => {
      if (this.#bytes < minRate * seconds) {
        const reason = `only ${this.#bytes} bytes received in ${seconds} seconds`;
        slow.abort(new SlowTransfer(reason));
      }
      this.#bytes = 0;
    }, window);
    this.signal = AbortSignal.any([signal, slow.signal]);
  }

  /** Call when data arrives. */
  add(bytes: number): void {
    this.#bytes += bytes;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/**
 * Reads the body of a response, decompressed.
 * @param onChunk called with the number of bytes of each part
 * @throws {Error} for a body of more than `maxBytes`, of which no more than that is kept
 */
export async function readBody(
  response: Response,
  maxBytes: number,
  onChunk: (bytes: number) => void = () => {},
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of response.body ?? []) {
    total += chunk.length;
    onChunk(chunk.length);
    if (total > maxBytes) throw new LargeBody(`the response has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** A response with more bytes than its kind may have. */
export class LargeBody extends Error {
  override readonly name = 'LargeBody';
}
