import type { z } from 'zod';
import { invalidArgument, type KarloError } from '../errors.js';
import { AsyncLazy } from '../util/async-lazy.js';
import { aiPackage, importWith } from '../util/optional-packages.js';
import { reasonOf } from '../util/reason-of.js';

/** A request to a server. */
interface ServerRequest<T> {
  /** The path after the base URL. */
  readonly path: string;
  /** The body of a POST; without one, the request is a GET. */
  readonly body?: Readonly<Record<string, unknown>>;
  /** Of the response. */
  readonly schema: z.ZodType<T>;
  readonly signal: AbortSignal | undefined;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

interface ServerResponse<T> {
  readonly body: T;
  readonly headers: Record<string, string>;
}

interface ConnectionOptions {
  /** Without a trailing slash. */
  readonly baseURL: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly fetch: typeof fetch | undefined;
}

/** Sends requests to a server. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #ownFetch = new AsyncLazy<typeof fetch>();

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /**
   * Sends a request, and parses the response.
   * @throws {APICallError} of the AI SDK, which retries those that may succeed later
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT if the response is not that of karlo serve
   */
  async send<T>(request: ServerRequest<T>): Promise<ServerResponse<T>> {
    const { response, text } = await this.#fetch(request);
    if (!response.ok) throw await this.#failure(request, response, text);
    const result = request.schema.safeParse(parseJson(text));
    if (!result.success) throw notKarlo(this.#url(request));
    return { body: result.data, headers: Object.fromEntries(response.headers) };
  }

  async #fetch(request: ServerRequest<unknown>): Promise<{ response: Response; text: string }> {
    const { body, signal, headers } = request;
    const send = this.#options.fetch ?? (await this.#ownFetch.get(patientFetch));
    const isJson = body !== undefined && { 'content-type': 'application/json' };
    try {
      const response = await send(this.#url(request), {
        method: body === undefined ? 'GET' : 'POST',
        headers: present({ ...isJson, ...this.#options.headers, ...headers }),
        body: body === undefined ? null : JSON.stringify(body),
        signal: signal ?? null,
      });
      return { response, text: await response.text() };
    } catch (cause) {
      signal?.throwIfAborted();
      throw await this.#unreachable(request, cause);
    }
  }

  #url({ path }: ServerRequest<unknown>): string {
    return `${this.#options.baseURL}/${path}`;
  }

  async #failure(
    request: ServerRequest<unknown>,
    { status, headers }: Response,
    text: string,
  ): Promise<Error> {
    const { APICallError } = await importWith(aiPackage, () => import('ai'));
    const url = this.#url(request);
    return new APICallError({
      message: messageOf(text) ?? `${url} responded with status ${status}`,
      url,
      requestBodyValues: request.body,
      statusCode: status,
      responseHeaders: Object.fromEntries(headers),
      responseBody: text,
    });
  }

  async #unreachable(request: ServerRequest<unknown>, cause: unknown): Promise<Error> {
    const { APICallError } = await importWith(aiPackage, () => import('ai'));
    const { baseURL } = this.#options;
    const fix = 'Start it with karlo serve, or correct baseURL';
    return new APICallError({
      message: `Expected a server at ${baseURL}, but the connection failed: ${reasonOf(cause)}. ${fix}`,
      url: this.#url(request),
      requestBodyValues: request.body,
      cause,
      isRetryable: true,
    });
  }
}

/**
 * Node's `fetch` fails after five minutes without a response, but images of a large model on a CPU can take longer. The
 * server has its own limit.
 */
async function patientFetch(): Promise<typeof fetch> {
  const { Agent, fetch: send } = await import('undici');
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0 });
  return (url, init) => send(url as string, { ...init, dispatcher } as object) as Promise<never>;
}

function present(headers: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const entries = Object.entries(headers).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Record<string, string>;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The message of an error response in the shape of OpenAI's API. */
function messageOf(text: string): string | undefined {
  const { error } = (parseJson(text) ?? {}) as { error?: { message?: unknown } };
  return typeof error?.message === 'string' ? error.message : undefined;
}

function notKarlo(url: string): KarloError {
  const message = `Expected a response of karlo serve from ${url} but received another one: check baseURL, which ends in /v1`;
  return invalidArgument(message, { argument: 'baseURL' });
}
