import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { ApiError } from './protocol/api-error.js';
import { isLoopback, type ServerSettings } from './settings.js';

/** What decides whether a request may come in. */
export class Access {
  readonly #digests: readonly Buffer[];
  readonly #origins: ReadonlySet<string>;
  /** Names under which a browser may reach the server; undefined where any will do. */
  readonly #hosts: ReadonlySet<string> | undefined;

  constructor({ apiKeys, cors, host, publicUrl }: ServerSettings) {
    this.#digests = apiKeys.map(digest);
    this.#origins = new Set(publicUrl ? [...cors, new URL(publicUrl).origin] : cors);
    const open = apiKeys.length > 0 || !isLoopback(host);
    const named = publicUrl ? [new URL(publicUrl).hostname] : [];
    this.#hosts = open ? undefined : new Set(['localhost', '127.0.0.1', '[::1]', host, ...named]);
  }

  /**
   * Refuses names that are not ours: a page elsewhere could point its own name at this machine and so
   * become our own origin (DNS rebinding).
   */
  checkHost({ hostname }: FastifyRequest): void {
    if (this.#hosts === undefined || this.#hosts.has(hostname)) return;
    const message = `Expected a request for localhost but it names '${hostname.slice(0, 100)}': behind a proxy, serve with --public-url or --api-key`;
    throw new ApiError(403, 'wrong_host', message);
  }

  /** Refuses what a page elsewhere makes a browser send, forms included, which CORS lets through. */
  checkOrigin({ headers, host }: FastifyRequest): void {
    const { origin } = headers;
    if (origin === undefined || this.#origins.has(origin)) return;
    if (URL.canParse(origin) && new URL(origin).host === host) return;
    const message = 'Expected a request from a page of this server: name others with --cors';
    throw new ApiError(403, 'wrong_origin', message);
  }

  /** Refuses a request without a key that is known. Takes equally long, whatever is wrong. */
  checkKey({ headers }: FastifyRequest): void {
    if (this.#digests.length === 0) return;
    const key = keyOf(headers.authorization);
    const given = digest(key);
    const matches = this.#digests.filter((known) => timingSafeEqual(known, given));
    if (matches.length > 0) return;
    const message =
      key === ''
        ? 'Expected an API key: send it in the header Authorization: Bearer KEY'
        : 'Expected a known API key but received another';
    throw new ApiError(401, 'invalid_api_key', message);
  }

  /** Who sends a request, for limits: its key, or its address where any key would do. */
  senderOf({ headers, ip }: FastifyRequest): string {
    if (this.#digests.length === 0) return ip;
    return digest(keyOf(headers.authorization)).toString('hex');
  }
}

function keyOf(authorization = ''): string {
  return /^Bearer +(\S{1,500})$/i.exec(authorization)?.[1] ?? '';
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
