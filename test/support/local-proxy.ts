import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterAll } from 'vitest';

/** An HTTP proxy on this machine. It reaches only the servers that it is told. */
export class LocalProxy {
  /**
   * Servers on this machine, `http://127.0.0.1:PORT`, by the host that clients ask for; for tunnels, by
   * host and port.
   */
  readonly hosts = new Map<string, string>();
  /** The URLs of requests, and `CONNECT HOST:PORT` for tunnels. */
  readonly seen: string[] = [];
  /** The `Proxy-Authorization` of each of them. */
  readonly credentials: (string | undefined)[] = [];
  /** The status of responses to requests for other tunnels, and to all other requests if it is 407. */
  refusal = 403;
  readonly #server = createServer((request, response) => this.#forward(request, response));

  constructor() {
    this.#server.on('connect', (request, socket) => {
      this.#note(`CONNECT ${request.url}`, request);
      const target = this.hosts.get(request.url ?? '');
      if (target) tunnel(socket, Number(new URL(target).port));
      else socket.end(`HTTP/1.1 ${this.refusal} No\r\ncontent-length: 0\r\n\r\n`);
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #note(url: string, { headers }: IncomingMessage): void {
    this.seen.push(url);
    this.credentials.push(headers['proxy-authorization']);
  }

  /** Forwards a request in absolute form (RFC 9112, section 3.2.2). */
  #forward(asked: IncomingMessage, response: ServerResponse): void {
    this.#note(asked.url ?? '', asked);
    const { host, pathname, search } = new URL(asked.url ?? '');
    const target = this.hosts.get(host);
    if (target === undefined || this.refusal === 407) {
      response.writeHead(target ? 407 : 502).end();
      return;
    }
    const { method, headers } = asked;
    const onward = request(`${target}${pathname}${search}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    asked.pipe(onward);
  }
}

function tunnel(socket: Duplex, port: number): void {
  const onward = connect(port, '127.0.0.1', () => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    socket.pipe(onward).pipe(socket);
  });
  for (const end of [socket, onward]) end.on('error', () => {});
}

/** Starts a proxy that is stopped after the test file. */
export async function localProxy(): Promise<LocalProxy> {
  const proxy = await new LocalProxy().start();
  afterAll(() => proxy.stop());
  return proxy;
}
