import type { FastifyReply } from 'fastify';
import { ApiError } from './api-error.js';

/** A signal that aborts when the client goes away or the time is up. */
export function requestSignal({ raw }: FastifyReply, seconds: number): AbortSignal {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(outOfTime(seconds)), 1000 * seconds);
  const leave = () => {
    clearTimeout(timer);
    controller.abort(clientGone());
  };
  // Who left while the picture was read is told of no more.
  if (raw.destroyed) leave();
  else raw.once('close', leave);
  return controller.signal;
}

function clientGone(): ApiError {
  return new ApiError(499, 'client_gone', 'The client closed the connection');
}

function outOfTime(seconds: number): ApiError {
  const message = `Expected the pictures within ${seconds} seconds: ask for fewer or for fewer steps`;
  return new ApiError(504, 'timeout', message);
}
