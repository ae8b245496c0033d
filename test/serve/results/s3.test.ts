import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import S3rver from 's3rver';
import { afterAll, expect, test } from 'vitest';
import { S3Results } from '../../../lib/serve/results/s3.js';
import { localProxy } from '../../support/local-proxy.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { checkStore, name } from './check-store.js';

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
  await store.put('ring.png', Buffer.from('bytes'));
  expect(await store.get('ring.png')).toEqual(Buffer.from('bytes'));
  expect(await store.get('none.png')).toBeUndefined();
  const url = 'http://store.invalid/pictures/proxied';
  expect(proxy.seen).toEqual([`${url}/ring.png`, `${url}/ring.png`, `${url}/none.png`]);
});

test('repeats requests to a busy store, three times', async () => {
  let [requests, failures] = [0, 3];
  const busy = createServer((request, response) => {
    requests += 1;
    request.resume();
    response.writeHead(requests <= failures ? 503 : 200).end();
  });
  await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(busy.address() as AddressInfo).port}`;
  const store = new S3Results({
    ...{ location: 's3://pictures', seconds: 60 },
    environment: { ...environment, AWS_ENDPOINT_URL: address },
  });
  await store.put(name, Buffer.from('x'));
  expect(requests).toBe(4);
  [requests, failures] = [0, 9];
  await expect(store.put(name, Buffer.from('x'))).rejects.toThrow(/PUT with status 503/);
  expect(requests).toBe(4);
  busy.closeAllConnections();
  busy.close();
});

test('reports failed requests and missing credentials', async () => {
  const nowhere = new S3Results({ location: 's3://nowhere', seconds: 60, environment });
  await expect(nowhere.put(name, Buffer.from('x'))).rejects.toThrow(/PUT with status 404/);
  expect(() => new S3Results({ location, seconds: 60, environment: {} })).toThrow(
    expect.objectContaining({ code: 'ERR_KARLO_INVALID_ARGUMENT' }),
  );
});
