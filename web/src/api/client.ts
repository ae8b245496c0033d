import { Failure, failureOf, unreachable } from './failure';
import { currentKey } from './key';
import { readEvents } from './stream';
import type { GenerationEvent, Model } from './types';

/** The fields of an image request, by their names in the API. */
export type RequestFields = Readonly<Record<string, unknown>>;

/** Image files, by the fields of a form. */
export type Files = Readonly<Record<string, Blob | undefined>>;

export interface ImageRequest {
  /** Under `/v1/images/`. */
  path: string;
  fields: RequestFields;
  /** Sends the request as a form. */
  files?: Files;
}

/** The served model; undefined while no worker serves one. */
export async function fetchModel(signal?: AbortSignal): Promise<Model | undefined> {
  const response = await send('/v1/models', signal ? { signal } : {});
  const { data } = (await response.json()) as { data: Model[] };
  return data[0];
}

/**
 * Generates images. Aborting the signal also stops the work on the server.
 * @throws {Failure}
 */
export async function* generateImages(
  { path, fields, files }: ImageRequest,
  signal: AbortSignal,
): AsyncGenerator<GenerationEvent, void, void> {
  const body = files ? formBody(fields, files) : jsonBody(fields);
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

function formBody(fields: RequestFields, files: Files): RequestInit {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    body.set(name, typeof value === 'object' ? JSON.stringify(value) : String(value));
  }
  for (const [name, file] of Object.entries(files)) if (file) body.set(name, file, name);
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
