import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from './errors.js';
import type { Backend } from './queue/backend.js';

/** The room that the server keeps for one request. Calls after the first have no effect. */
interface Reservation {
  /** Frees the place in the queue, just before the job takes it. */
  arrive(): void;
  /** Frees everything. */
  end(): void;
}

/** Bodies that arrive more slowly are ended: they hold places and memory. */
const leastBytesPerSecond = 4096;
/** Seconds over which the rate is measured. */
const rateSeconds = 5;
/** Milliseconds after the last response in which memory is freed. By then, V8 has collected an idle server's garbage. */
const trimDelay = 10_000;

/**
 * Limits what clients send at the same time. Places in the queue and memory are reserved before a body is read: many
 * clients that upload at once would otherwise take memory without limit, and only then find the queue full.
 */
export class Uploads {
  readonly #backend: Backend;
  readonly #budget: number;
  readonly #reservations = new WeakMap<FastifyRequest, Reservation>();
  /** Requests whose bodies are being read. */
  #arriving = 0;
  /** Bytes of bodies, of requests that have not been answered. */
  #bytes = 0;
  readonly #trimming: NodeJS.Timeout;

  /** @param budget bytes of all bodies in memory */
  constructor(backend: Backend, budget: number) {
    this.#backend = backend;
    this.#budget = budget;
    this.#trimming = setTimeout(() => backend.trimMemory?.(), trimDelay).unref();
  }

  /**
   * Reserves room for a request, up to the end of its response.
   * @param limit the most bytes of a body
   * @throws {ApiError} 429 if there is none, 503 if the queue cannot be reached
   */
  async reserve(request: FastifyRequest, reply: FastifyReply, limit: number): Promise<void> {
    const others = this.#arriving;
    const reservation = this.#reserve(request, reply, limit);
    this.#reservations.set(request, reservation);
    try {
      await this.#backend.admit(others);
    } catch (error) {
      reservation.end();
      throw error;
    }
    if (reply.raw.destroyed) reservation.end();
    else endIfSlow(request);
  }

  /**
   * Reserves memory alone, for a request that may have no job.
   * @throws {ApiError} 429 if there is none
   */
  reserveMemory(request: FastifyRequest, reply: FastifyReply, limit: number): void {
    this.#reserve(request, reply, limit).arrive();
    endIfSlow(request);
  }

  /** To be called right before the request's job is submitted, which takes its place. */
  arrive(request: FastifyRequest): void {
    this.#reservations.get(request)?.arrive();
  }

  #reserve(request: FastifyRequest, reply: FastifyReply, limit: number): Reservation {
    const bytes = Math.min(Number(request.headers['content-length'] ?? limit), limit);
    if (this.#bytes + bytes > this.#budget) throw uploadsFull();
    const reservation = this.#take(bytes);
    reply.raw.once('close', reservation.end);
    return reservation;
  }

  #take(bytes: number): Reservation {
    this.#arriving += 1;
    this.#bytes += bytes;
    const arrive = once(() => {
      this.#arriving -= 1;
    });
    const end = once(() => {
      arrive();
      this.#bytes -= bytes;
      this.#trimming.refresh();
    });
    return { arrive, end };
  }
}

function once(work: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) work();
    isDone = true;
  };
}

function uploadsFull(): ApiError {
  const message =
    'Other clients are sending as much as the server has memory for. Try again in a second';
  return new ApiError(429, 'uploads_full', message, { retryAfter: 1 });
}

/** Ends a request whose body arrives too slowly, just as Node.js ends one that takes too long: with status 408. */
function endIfSlow({ raw, server }: FastifyRequest): void {
  const { socket } = raw;
  let received = socket.bytesRead;
  const timer = setInterval(() => {
    const rate = (socket.bytesRead - received) / rateSeconds;
    received = socket.bytesRead;
    if (raw.complete || socket.destroyed) clearInterval(timer);
    else if (rate < leastBytesPerSecond) {
      const error = Object.assign(new Error('slow'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
      server.server.emit('clientError', error, socket);
    }
  }, 1000 * rateSeconds);
  timer.unref();
}
