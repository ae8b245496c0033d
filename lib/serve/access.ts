import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { ApiError } from './errors.js';
import { isLoopback, type ServerSettings } from './settings.js';

/** Methods that change nothing (RFC 9110, section 9.2.1), and that CORS keeps other pages from reading. */
const safeMethods = ['GET', 'HEAD', 'OPTIONS'];

/** Decides which requests are allowed, by their host, their origin and their API key. */
export class AccessControl {
  readonly #keyDigests: readonly Buffer[];
  readonly #origins: ReadonlySet<string>;
  readonly #acceptsBasic: boolean;
  /** Host names under which the server may be addressed; undefined if any will do. */
  readonly #hosts: ReadonlySet<string> | undefined;

  constructor({ apiKeys, cors, host, publicUrl, a1111 }: ServerSettings) {
    this.#keyDigests = apiKeys.map(digest);
    this.#acceptsBasic = a1111;
    this.#origins = new Set(publicUrl ? [...cors, new URL(publicUrl).origin] : cors);
    const anyHost = apiKeys.length > 0 || !isLoopback(host);
    const publicHost = publicUrl ? [new URL(publicUrl).hostname] : [];
    const hosts = ['localhost', '127.0.0.1', '[::1]', host, ...publicHost];
    this.#hosts = anyHost ? undefined : new Set(hosts.map((name) => name.toLowerCase()));
  }

  /** @throws {ApiError} 400, 401 or 403 */
  check(request: FastifyRequest): void {
    checkHostHeader(request);
    this.#checkHost(request);
    if (!safeMethods.includes(request.method)) this.#checkOrigin(request);
    if (needsKey(request)) this.#checkKey(request);
  }

  /** Prevents DNS rebinding, where another site's host name resolves to this machine. */
  #checkHost({ hostname }: FastifyRequest): void {
    if (this.#hosts === undefined || this.#hosts.has(hostname.toLowerCase())) return;
    const message = `Expected a request to localhost but received one to '${hostname.slice(0, 100)}'. Behind a proxy, serve with --public-url or --api-key`;
    throw new ApiError(403, 'wrong_host', message);
  }

  /** Prevents other sites from sending requests, including form posts, which CORS does not block. */
  #checkOrigin({ headers, host }: FastifyRequest): void {
    const { origin } = headers;
    if (origin === undefined || this.#origins.has(origin)) return;
    if (URL.canParse(origin) && new URL(origin).host === host.toLowerCase()) return;
    const message =
      'Expected a request from a page of this server. Allow other origins with --cors';
    throw new ApiError(403, 'wrong_origin', message);
  }

  /** Takes constant time, so that keys cannot be guessed by timing. */
  #checkKey({ headers }: FastifyRequest): void {
    if (this.#keyDigests.length === 0) return;
    const key = this.#keyOf(headers);
    const received = digest(key);
    const matches = this.#keyDigests.filter((known) => timingSafeEqual(known, received));
    if (matches.length > 0) return;
    const message =
      key === ''
        ? 'Expected an API key in the header Authorization: Bearer KEY'
        : 'Expected a valid API key but received an unknown one';
    throw new ApiError(401, 'invalid_api_key', message);
  }

  /** Identifies a client for rate limits: by its key, or by its address if no keys are set. */
  clientId({ headers, ip }: FastifyRequest): string {
    if (this.#keyDigests.length === 0) return ip;
    return digest(this.#keyOf(headers)).toString('hex');
  }

  /** The key in a request: the bearer token or, for clients of A1111, the password. */
  #keyOf({ authorization }: IncomingHttpHeaders): string {
    return bearerToken(authorization) || (this.#acceptsBasic ? basicPassword(authorization) : '');
  }
}

/**
 * Requires a single, valid `Host` (RFC 9112, section 3.2): a proxy might read another one than this server. Node.js
 * has rejected requests of HTTP/1.1 without it; checks of load balancers with HTTP/1.0 have none.
 */
function checkHostHeader({ raw: { rawHeaders }, headers: { host } }: FastifyRequest): void {
  const names = rawHeaders.filter((_, i) => i % 2 === 0);
  const count = names.filter((name) => name.toLowerCase() === 'host').length;
  if (count === 0 || (count === 1 && hostPattern.test(host ?? ''))) return;
  const message = 'Expected one header Host: NAME or Host: NAME:PORT but received';
  const received = count === 1 ? `'${host?.slice(0, 100)}'` : `${count} of them`;
  throw new ApiError(400, 'invalid_host', `${message} ${received}`);
}

/** A name, an IPv4 address or an IPv6 address, and a port (RFC 3986, section 3.2.2). */
const hostPattern = /^(?:[\w.-]{1,255}|\[[\da-f:.]{2,45}\])(?::\d{1,5})?$/i;

/** All routes need a key, except for those whose schema says `security: []`. A CORS preflight never has one. */
function needsKey({ method, is404, routeOptions: { schema } }: FastifyRequest): boolean {
  if (method === 'OPTIONS' || is404) return false;
  const { security } = (schema ?? {}) as { security?: readonly unknown[] };
  return security?.length !== 0;
}

function bearerToken(authorization = ''): string {
  return /^Bearer +(\S{1,500})$/i.exec(authorization)?.[1] ?? '';
}

/** The password of basic authentication (RFC 7617). */
function basicPassword(authorization = ''): string {
  const [, base64 = ''] = /^Basic +([\w+/=-]{1,1000})$/i.exec(authorization) ?? [];
  const credentials = Buffer.from(base64, 'base64').toString();
  return credentials.slice(credentials.indexOf(':') + 1);
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
