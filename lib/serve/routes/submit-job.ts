import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from '../errors.js';
import { type Job, type JobEvent, promptOf } from '../queue/job.js';
import type { ServerSettings } from '../settings.js';
import type { ServerContext } from './route-group.js';

/** Submits the job of a request, and observes its events. */
export async function submitJob(
  request: FastifyRequest,
  job: Job,
  signal: AbortSignal,
  { settings, backend, uploads, metrics }: ServerContext,
): Promise<AsyncIterable<JobEvent>> {
  const prompt = promptOf(job.call);
  if (settings.logPrompts && prompt !== undefined) request.log.info({ prompt });
  uploads.arrive(request);
  return tap(await backend.submit(job, signal), (event) => metrics.observeJob(job, event));
}

/** Calls `observe` with each event on its way. */
async function* tap(events: AsyncIterable<JobEvent>, observe: (event: JobEvent) => void) {
  for await (const event of events) {
    observe(event);
    yield event;
  }
}

/** The configuration of a route whose requests count for the rate limit. */
export function rateLimited({ rateLimit }: ServerSettings) {
  return rateLimit > 0 ? { rateLimit: { max: rateLimit, timeWindow: '1 minute' } } : {};
}

/** A signal that aborts when the client disconnects or `seconds` have passed. */
export function requestSignal({ raw }: FastifyReply, seconds: number): AbortSignal {
  const controller = new AbortController();
  const timeout = `The request took longer than ${seconds} seconds. Request fewer images or fewer steps`;
  const timer = setTimeout(() => {
    controller.abort(new ApiError(504, 'timeout', timeout));
  }, 1000 * seconds);
  const disconnect = () => {
    clearTimeout(timer);
    controller.abort(new ApiError(499, 'client_gone', 'The client closed the connection'));
  };
  // A client that disconnected while its request was read causes no further close event.
  if (raw.destroyed) disconnect();
  else raw.once('close', disconnect);
  return controller.signal;
}
