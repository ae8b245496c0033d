import type { Settings } from '../studio/settings';
import { Failure, failureOf, unreachable } from './failure';
import { currentKey } from './key';
import { eventsOf } from './stream';
import type { Model, PictureEvent } from './types';

/** The model that is served; undefined while nobody serves one. */
export async function fetchModel(signal?: AbortSignal): Promise<Model | undefined> {
  const response = await send('/v1/models', signal ? { signal } : {});
  const { data } = (await response.json()) as { data: Model[] };
  return data[0];
}

/**
 * Makes pictures. Aborting the signal ends the work on the server, too.
 * @throws {Failure}
 */
export async function* makePictures(
  settings: Settings,
  source: Blob | undefined,
  signal: AbortSignal,
): AsyncGenerator<PictureEvent, void, void> {
  const body = fieldsOf(settings);
  const init =
    settings.kind === 'create' ? json({ prompt: settings.prompt, ...body }) : form(source, body);
  const path = settings.kind === 'create' ? 'generations' : 'variations';
  const response = await send(`/v1/images/${path}`, { method: 'POST', signal, ...init });
  if (response.body === null) throw unreachable();
  try {
    yield* eventsOf(response.body);
  } catch (error) {
    // The browser's own errors say no more than that the connection broke.
    if (error instanceof Failure || signal.aborted) throw error;
    throw unreachable();
  }
}

function fieldsOf(settings: Settings): Record<string, unknown> {
  const { count, seed, sampling, prior, decoder, kind } = settings;
  return {
    n: count,
    seed,
    sampling,
    ...(kind === 'create' && { prior: stageOf(prior) }),
    decoder: stageOf(decoder),
    stream: true,
    partial_images: 3,
    progress: true,
  };
}

function stageOf({ steps, guidance }: Settings['prior']) {
  return {
    ...(steps !== undefined && { steps }),
    ...(guidance !== undefined && { guidance_scale: guidance }),
  };
}

function json(body: Record<string, unknown>): RequestInit {
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

function form(source: Blob | undefined, fields: Record<string, unknown>): RequestInit {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    body.set(name, typeof value === 'object' ? JSON.stringify(value) : String(value));
  }
  if (source) body.set('image', source, 'picture');
  return { body };
}

async function send(path: string, init: RequestInit): Promise<Response> {
  const key = currentKey();
  const headers = { ...init.headers, ...(key !== '' && { authorization: `Bearer ${key}` }) };
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw unreachable();
  }
  if (!response.ok) throw await failureOf(response);
  return response;
}
