import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { proxyFetch } from '../../lib/util/proxy-fetch.js';
import { LocalProxy } from '../support/local-proxy.js';

const server = createServer((request, response) => response.end(`${request.url} of the server`));
let direct: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  direct = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

let proxy: LocalProxy;
beforeEach(async () => {
  proxy = await new LocalProxy().start();
  proxy.hosts.set('model.invalid', direct).set('model.invalid:8080', direct);
  return () => proxy.stop();
});

const text = async (env: NodeJS.ProcessEnv, url: string) =>
  (await proxyFetch(env, url)(url)).text();

describe('requests go through', () => {
  test.each(['HTTP_PROXY', 'http_proxy'])('the proxy of %s', async (name) => {
    const env = { [name]: `http://${proxy.address}` };
    expect(await text(env, 'http://model.invalid/a?b=c')).toBe('/a?b=c of the server');
    expect(proxy.seen).toEqual(['http://model.invalid/a?b=c']);
  });

  test('an address without http://, and with a user and a password', async () => {
    expect(await text({ HTTP_PROXY: proxy.address }, 'http://model.invalid/')).toMatch(/server/);
    const env = { HTTP_PROXY: `user:p%40ss@${proxy.address}` };
    await text(env, 'http://model.invalid/');
    const basic = Buffer.from('user:p@ss').toString('base64');
    expect(proxy.credentials).toEqual([undefined, `Basic ${basic}`]);
  });

  test('the one in lower case if both are set, and none that is blank', async () => {
    const env = { HTTP_PROXY: 'http://127.0.0.1:9', http_proxy: proxy.address };
    expect(await text(env, 'http://model.invalid/')).toMatch(/server/);
    expect(
      await text({ HTTP_PROXY: proxy.address, http_proxy: ' ' }, 'http://model.invalid/'),
    ).toMatch(/server/);
  });

  test.each([['HTTPS_PROXY'], ['https_proxy'], ['HTTP_PROXY']])(
    'a tunnel for https:, with %s',
    async (name) => {
      const env = { [name]: proxy.address };
      await expect(text(env, 'https://model.invalid/')).rejects.toThrow(
        `Proxy response (403) !== 200 when HTTP Tunneling. Check ${name}`,
      );
      expect(proxy.seen).toEqual(['CONNECT model.invalid:443']);
    },
  );
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

test.skipIf(!hasOpenssl)(
  'https: works through a tunnel, with the certificate of the server',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'karlo-proxy-'));
    const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(folder, name)) as [
      string,
      string,
    ];
    const subject = ['-subj', '/CN=model.invalid', '-addext', 'subjectAltName=DNS:model.invalid'];
    const pair = ['-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '2'];
    expect(spawnSync('openssl', ['req', '-x509', ...pair, ...subject]).status).toBe(0);
    const secure = createSecureServer(
      { key: readFileSync(key), cert: readFileSync(cert) },
      (request, response) => response.end(`${request.url} of the secure server`),
    );
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
    const { port } = secure.address() as AddressInfo;
    proxy.hosts.set('model.invalid:443', `https://127.0.0.1:${port}`);
    const program = `
    import { proxyFetch } from './dist/lib/util/proxy-fetch.js';
    const url = 'https://model.invalid/a';
    const response = await proxyFetch(process.env, url)(url);
    console.log(await response.text());`;
    const env = {
      ...process.env,
      NODE_EXTRA_CA_CERTS: cert,
      HTTPS_PROXY: proxy.address,
      https_proxy: '',
    };
    const args = ['--input-type=module', '--eval', program];
    const { stdout } = await promisify(execFile)(process.execPath, args, { env });
    expect(stdout).toBe('/a of the secure server\n');
    expect(proxy.seen).toEqual(['CONNECT model.invalid:443']);
    secure.closeAllConnections();
    secure.close();
    rmSync(folder, { recursive: true });
  },
);

describe('requests go directly', () => {
  test.each(['127.0.0.1', 'localhost'])('to %s', async (host) => {
    const env = { HTTP_PROXY: proxy.address };
    const url = direct.replace('127.0.0.1', host);
    expect(await text(env, `${url}/x`)).toBe('/x of the server');
    expect(proxy.seen).toEqual([]);
  });

  /** Reaches this machine, but is not one of the names that never use a proxy. No name is resolved. */
  const mapped = () => direct.replace('127.0.0.1', '[::ffff:7f00:1]');
  const port = () => new URL(direct).port;

  test.each<[string, () => string]>([
    ['NO_PROXY', () => 'other.invalid,[::ffff:7f00:1]'],
    ['no_proxy', () => '[::ffff:7f00:1]'],
    ['NO_PROXY', () => `[::ffff:7f00:1]:${port()}`],
    ['no_proxy', () => '*'],
  ])('to a host of %s', async (name, value) => {
    const env = { HTTP_PROXY: proxy.address, [name]: value() };
    expect(await text(env, `${mapped()}/x`)).toBe('/x of the server');
    expect(proxy.seen).toEqual([]);
  });

  test('but not to another host or port than that of NO_PROXY', async () => {
    proxy.hosts.set(new URL(mapped()).host, direct);
    for (const other of ['other.invalid', '[::ffff:7f00:1]:80']) {
      const env = { HTTP_PROXY: proxy.address, NO_PROXY: other };
      expect(await text(env, `${mapped()}/x`)).toBe('/x of the server');
    }
    expect(proxy.seen).toHaveLength(2);
  });
});

describe('errors', () => {
  test.each(['socks5://proxy:1', 'http://', 'ftp://secret@proxy'])(
    'the address %s is rejected without being printed',
    async (address) => {
      const error = expect.objectContaining({
        code: 'ERR_KARLO_INVALID_ARGUMENT',
        message:
          'Expected the address of an HTTP proxy, such as http://proxy.example:3128, for https_proxy but received something else',
      });
      expect(() => proxyFetch({ https_proxy: address }, direct)).toThrow(error);
    },
  );

  test('name the variables of a proxy that is unreachable, or requires a password', async () => {
    const unreachable = { HTTP_PROXY: '127.0.0.1:9', https_proxy: '127.0.0.1:9' };
    await expect(text(unreachable, 'http://model.invalid/')).rejects.toThrow(
      /ECONNREFUSED 127\.0\.0\.1:9\. Check HTTP_PROXY and https_proxy$/,
    );
    proxy.refusal = 407;
    await expect(text({ HTTP_PROXY: proxy.address }, 'http://model.invalid/')).rejects.toThrow(
      /407.*Check HTTP_PROXY$/,
    );
  });

  test('an abort rejects with its reason', async () => {
    const signal = AbortSignal.abort(new Error('stopped'));
    const send = proxyFetch({ HTTP_PROXY: proxy.address }, direct);
    await expect(send('http://model.invalid/', { signal })).rejects.toThrow('stopped');
  });
});
