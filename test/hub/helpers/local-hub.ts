import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Replaces a response. Returns true if it has responded. */
export type Fault = (request: Served, response: ServerResponse) => boolean | undefined;

export interface Served {
  /** `hub` serves the API and `resolve`; `storage` is another origin with the large files. */
  server: 'hub' | 'storage';
  /** `api`, or the path of a file in its repository. */
  path: string;
  /** The first byte of the file that was requested. */
  start: number;
  body: Buffer;
  headers: IncomingMessage['headers'];
}

interface Request extends Omit<Served, 'body'> {
  url: string;
  /** Bytes of the file that were sent. */
  sent: number;
}

const commit = 'c'.repeat(40);
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** Local mock servers: a hub, and the storage to which it redirects. */
export class LocalHub {
  /** Files by repository and path. Those over 1000 bytes are in the storage (LFS). */
  readonly repositories = new Map<string, Record<string, Buffer>>();
  readonly requests: Request[] = [];
  /** Called in turn before each response. */
  faults: Fault[] = [];
  /** Changes the listing of files. */
  relist: (entries: object[]) => object[] = (entries) => entries;
  entriesPerPage = 7;
  /** Where the hub redirects to, if not directly to the storage. */
  storageLocation: string | undefined;
  readonly #hub = createServer((request, response) => this.#answerHub(request, response));
  readonly #storage = createServer((request, response) => this.#answerStorage(request, response));

  async start(): Promise<this> {
    for (const server of [this.#hub, this.#storage]) {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    }
    return this;
  }

  stop(): void {
    for (const server of [this.#hub, this.#storage]) {
      server.closeAllConnections();
      server.close();
    }
  }

  get url(): string {
    return origin(this.#hub);
  }

  get storageUrl(): string {
    return origin(this.#storage);
  }

  /** Bytes of files that were sent since request `from`, without headers. */
  sent(from = 0): number {
    return this.requests.slice(from).reduce((sum, { sent }) => sum + sent, 0);
  }

  /** The requests for a file. */
  requestsFor(path: string): Request[] {
    return this.requests.filter(
      (request) => request.path === path && (request.server === 'storage' || request.sent > 0),
    );
  }

  #answerHub(request: IncomingMessage, response: ServerResponse): void {
    // The name under which a proxy reaches the hub.
    const url = new URL(request.url ?? '', `http://${request.headers.host}`);
    if (url.pathname.startsWith('/storage/')) {
      request.url = url.href.slice(`${url.origin}/storage`.length);
      this.#answerStorage(request, response);
      return;
    }
    const [, name = '', rest = ''] =
      /^\/(?:api\/models\/)?([^/]+\/[^/]+)\/(.*)$/.exec(url.pathname) ?? [];
    const files = this.repositories.get(name);
    const path = rest.startsWith('resolve/')
      ? decodeURIComponent(rest.slice(rest.indexOf('/', 8) + 1))
      : 'api';
    const seen = this.#note('hub', path, request);
    if (this.#fault(seen, files?.[path] ?? Buffer.alloc(0), response)) return;
    if (!files) sendError(response, 404, 'RepoNotFound');
    else if (rest.startsWith('revision/')) json(response, { _id: '1', id: name, sha: commit });
    else if (rest.startsWith('tree/')) this.#list(files, url, response);
    else if (rest.startsWith(`resolve/${commit}/`))
      this.#resolve(seen, name, files[path], response);
    else sendError(response, 404, 'RevisionNotFound');
  }

  #resolve(seen: Request, name: string, body: Buffer | undefined, response: ServerResponse): void {
    if (body === undefined) sendError(response, 404, 'EntryNotFound');
    else if (body.length <= 1000) this.#send(seen, body, response);
    else {
      const storage = this.storageLocation ?? this.storageUrl;
      const location = `${storage}/${name}/${seen.path}?signature=secret`;
      response.writeHead(302, { location, 'x-linked-etag': `"${sha256(body)}"` }).end();
    }
  }

  #list(files: Record<string, Buffer>, url: URL, response: ServerResponse): void {
    const entries = this.relist(Object.entries(files).map(([path, body]) => entryOf(path, body)));
    const start = Number(url.searchParams.get('cursor') ?? 0);
    const end = start + this.entriesPerPage;
    url.searchParams.set('cursor', String(end));
    const link = end < entries.length ? { link: `<${url.href}>; rel="next"` } : {};
    json(response, entries.slice(start, end), link);
  }

  #answerStorage(request: IncomingMessage, response: ServerResponse): void {
    const { pathname } = new URL(request.url ?? '', this.storageUrl);
    const [, name = '', path = ''] =
      /^\/([^/]+\/[^/]+)\/(.*)$/.exec(decodeURIComponent(pathname)) ?? [];
    const seen = this.#note('storage', path, request);
    const body = this.repositories.get(name)?.[path];
    if (this.#fault(seen, body ?? Buffer.alloc(0), response)) return;
    if (body) this.#send(seen, body, response);
    else sendError(response, 404, 'EntryNotFound');
  }

  #note(server: Served['server'], path: string, { headers, url = '' }: IncomingMessage): Request {
    const start = Number(/^bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0);
    const seen = { server, path, start, headers, url, sent: 0 };
    this.requests.push(seen);
    return seen;
  }

  #fault(seen: Request, body: Buffer, response: ServerResponse): boolean {
    const write = response.write.bind(response);
    // Counts the bytes that faults send, too.
    response.write = ((chunk: Buffer, ...rest: []) => {
      seen.sent += chunk.length;
      return write(chunk, ...rest);
    }) as typeof response.write;
    return this.faults.some((fault) => fault({ ...seen, body }, response) === true);
  }

  #send(seen: Request, body: Buffer, response: ServerResponse): void {
    const { start } = seen;
    if (start >= body.length) {
      response.writeHead(416).end();
      return;
    }
    const ranged = seen.headers.range !== undefined;
    response.writeHead(ranged ? 206 : 200, {
      'content-length': body.length - start,
      ...(ranged && { 'content-range': `bytes ${start}-${body.length - 1}/${body.length}` }),
    });
    response.write(body.subarray(start));
    response.end();
  }
}

export function entryOf(path: string, body: Buffer) {
  const blob = Buffer.concat([Buffer.from(`blob ${body.length}\0`), body]);
  const oid = createHash('sha1').update(blob).digest('hex');
  const lfs = { oid: sha256(body), size: body.length, pointerSize: 130 };
  return { type: 'file', path, size: body.length, oid, ...(body.length > 1000 && { lfs }) };
}

function origin(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function json(response: ServerResponse, content: object, headers: object = {}): void {
  response.writeHead(200, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(content));
}

export function sendError(response: ServerResponse, status: number, code?: string): void {
  response.writeHead(status, code === undefined ? {} : { 'x-error-code': code }).end('no');
}
