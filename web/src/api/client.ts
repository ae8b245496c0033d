import { Failure, failureOf, unreachable } from './failure';
import { currentKey } from './key';
import { readEvents } from './stream';
import type { GenerationEvent, Model } from './types';

/** The fields of an image request, by their names in the API. */
export type RequestFields = Readonly<Record<string, unknown>>;

/** The served model; undefined while no worker serves one. */
export async function fetchModel(signal?: AbortSignal): Promise<Model | undefined> {
  const response = await send('/v1/models', signal ? { signal } : {});
  const { data } = (await response.json()) as { data: Model[] };
  return data[0];
}

/**
 * Generates images from a prompt, or variations if there is a source image. Aborting the signal also
 * stops the work on the server.
 * @throws {Failure}
 */
export async function* generateImages(
  fields: RequestFields,
  source: Blob | undefined,
  signal: AbortSignal,
): AsyncGenerator<GenerationEvent, void, void> {
  const path = source ? 'variations' : 'generations';
  const body = source ? formBody(fields, source) : jsonBody(fields);
  const response = await send(`/v1/images/${path}`, { method: 'POST', signal, ...body });
  if (response.body === null) throw unreachable();
  try {
    yield* readEvents(response.body);
  } catch (error) {
    // The browser's own errors only say that the connection was lost.
    if (error instanceof Failure || signal.aborted) throw error;
    throw unreachable();
  }
}

function jsonBody(fields: RequestFields): RequestInit {
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(fields) };
}

function formBody(fields: RequestFields, source: Blob): RequestInit {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    body.set(name, typeof value === 'object' ? JSON.stringify(value) : String(value));
  }
  body.set('image', source, 'image');
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
