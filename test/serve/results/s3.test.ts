import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import S3rver from 's3rver';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { S3Results } from '../../../lib/serve/results/s3.js';
import { localProxy } from '../../support/local-proxy.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { checkStore, name, other } from './check-store.js';

const server = new S3rver({
  port: 0,
  address: '127.0.0.1',
  silent: true,
  directory: temporaryFolder(),
  vhostBuckets: false,
  configureBuckets: [{ name: 'pictures', configs: [] }],
});
const { port } = await server.run();
afterAll(() => server.close());
const proxy = await localProxy();
const environment = {
  AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
  AWS_ACCESS_KEY_ID: 'S3RVER',
  AWS_SECRET_ACCESS_KEY: 'S3RVER',
};
const location = 's3://pictures/some/prefix/';

test('stores files, and ignores expired ones', async () => {
  await checkStore(new S3Results({ location, seconds: 60, environment }));
  const old = new S3Results({ location, seconds: -10, environment });
  expect(await old.get(name)).toBeUndefined();
});

test('stores files through the proxy of the environment', async () => {
  proxy.hosts.set('store.invalid', `http://127.0.0.1:${port}`);
  const proxied = { AWS_ENDPOINT_URL: 'http://store.invalid', HTTP_PROXY: proxy.address };
  const store = new S3Results({
    ...{ location: 's3://pictures/proxied', seconds: 60 },
    environment: { ...environment, ...proxied },
  });
  await store.put(name, Buffer.from('bytes'));
  expect(await store.get(name)).toEqual(Buffer.from('bytes'));
  expect(await store.get(other)).toBeUndefined();
  const url = 'http://store.invalid/pictures/proxied';
  expect(proxy.seen).toEqual([name, name, other].map((file) => `${url}/${file}`));
});

/** A store at a server that answers as `respond` does. */
async function storeAt(respond: RequestListener, timeout = 1000): Promise<S3Results> {
  const served = createServer((request, response) => {
    request.resume();
    respond(request, response);
  });
  await new Promise<void>((resolve) => served.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    served.closeAllConnections();
    served.close();
  });
  const address = `http://127.0.0.1:${(served.address() as AddressInfo).port}/`;
  return new S3Results({
    ...{ location: 's3://pictures', seconds: 60, timeout },
    environment: { ...environment, AWS_ENDPOINT_URL: address },
  });
}

test('repeats requests to a busy store, three times', async () => {
  let [requests, failures] = [0, 3];
  const store = await storeAt((_request, response) => {
    requests += 1;
    response.writeHead(requests <= failures ? 503 : 200).end();
  });
  await store.put(name, Buffer.from('x'));
  expect(requests).toBe(4);
  [requests, failures] = [0, 9];
  await expect(store.put(name, Buffer.from('x'))).rejects.toThrow(/PUT with status 503/);
  expect(requests).toBe(4);
});

test('does not follow a redirect, for whose host the signature would be wrong', async () => {
  const seen: string[] = [];
  const store = await storeAt(({ url = '' }, response) => {
    seen.push(url);
    response.writeHead(307, { location: '/elsewhere' }).end();
  });
  await expect(store.get(name)).rejects.toThrow(/GET with status 307: check AWS_REGION/);
  expect(seen).toEqual([`/pictures/${name}`]);
});

test('rejects a response that is too large, also compressed', async () => {
  const bomb = gzipSync(Buffer.alloc(2 ** 26 + 1));
  const store = await storeAt((_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
  }, 60_000);
  await expect(store.get(name)).rejects.toThrow(`more than ${2 ** 26} bytes`);
});

test('rejects a response that does not end in time', async () => {
  const store = await storeAt((_request, response) => {
    response.writeHead(200).write('a');
  });
  await expect(store.get(name)).rejects.toThrow('did not answer GET within 1 seconds');
});

test('reports failed requests and missing credentials', async () => {
  const nowhere = new S3Results({ location: 's3://nowhere', seconds: 60, environment });
  await expect(nowhere.put(name, Buffer.from('x'))).rejects.toThrow(/PUT with status 404/);
  const noUrl = { ...environment, AWS_ENDPOINT_URL: 'store:9000' };
  for (const invalid of [{}, noUrl]) {
    expect(() => new S3Results({ location, seconds: 60, environment: invalid })).toThrow(
      expect.objectContaining({ code: 'ERR_KARLO_INVALID_ARGUMENT' }),
    );
  }
});
