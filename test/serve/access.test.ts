import { request as httpRequest } from 'node:http';
import { beforeAll, describe, expect, test } from 'vitest';
import { AccessControl } from '../../lib/serve/access.js';
import { createSettings } from '../../lib/serve/settings.js';
import { exchange } from './helpers/raw.js';
import { errorOf, short, start } from './helpers/server.js';

const prompt = 'a ring';

describe('API keys', () => {
  const key = 'a-key-of-some-length';

  test('protect the API and the metrics, and nothing else', async () => {
    const { url, client, post } = await start({ apiKeys: ['another-key-for-tests', key] });
    const without = await fetch(`${url}/v1/models`);
    expect(await errorOf(without)).toMatchObject({ status: 401, code: 'invalid_api_key' });
    const wrong = { headers: { authorization: `Bearer ${key}x` } };
    expect((await fetch(`${url}/v1/models`, wrong)).status).toBe(401);
    expect((await post({ prompt })).status).toBe(401);
    expect((await fetch(`${url}/metrics`)).status).toBe(401);
    const right = { headers: { authorization: `Bearer ${key}` } };
    expect((await fetch(`${url}/metrics`, right)).status).toBe(200);
    expect((await client.models.list()).data).toHaveLength(1);
    for (const open of ['/', '/healthz', '/readyz', '/openapi.json']) {
      expect((await fetch(`${url}${open}`)).status).toBe(200);
    }
    expect((await fetch(`${url}/unknown`)).status).toBe(404);
    expect((await fetch(`${url}/v1/images/files/unknown.png`)).status).toBe(404);
  });

  test('are required by a route unless its schema says otherwise', async () => {
    const access = new AccessControl(createSettings({ apiKeys: [key] }));
    const check = (schema?: object) => () =>
      access.check({
        ...{ method: 'GET', hostname: 'localhost', headers: {}, is404: false },
        raw: { rawHeaders: [] },
        routeOptions: { url: '/new', schema },
      } as never);
    expect(check()).toThrow(/Expected an API key/);
    expect(check({ hide: true })).toThrow(/Expected an API key/);
    expect(check({ security: [] })).not.toThrow();
  });

  test('are required on an address that other machines can reach, and must be long enough', async () => {
    await expect(start({ host: '0.0.0.0' })).rejects.toThrow(/--api-key .* or --insecure/);
    await expect(start({ apiKeys: ['short'] })).rejects.toThrow(/at least 16 characters/);
    const open = await start({ host: '0.0.0.0', insecure: true });
    expect((await fetch(`${open.url}/v1/models`)).status).toBe(200);
  });

  test('have a rate limit each', async () => {
    const { post } = await start({ rateLimit: 2, apiKeys: [key, 'another-key-for-tests'] });
    const send = (by: string) =>
      post('{}', {
        headers: { 'content-type': 'application/json', authorization: `Bearer ${by}` },
      });
    expect((await send(key)).status).toBe(400);
    expect((await send(key)).status).toBe(400);
    const third = await send(key);
    expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await errorOf(third)).toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
    expect((await send('another-key-for-tests')).status).toBe(400);
  });
});

test('an address with many invalid keys is limited, but not its valid ones', async () => {
  const key = 'a-key-of-some-length';
  const { url } = await start({ apiKeys: [key] });
  const send = (by: string) =>
    fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${by}` } });
  for (let i = 0; i < 20; i++) expect((await send(`guess-${i}`)).status).toBe(401);
  const limited = await send('guess-20');
  expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await errorOf(limited)).toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
  expect((await send(key)).status).toBe(200);
});

describe('the Host header', () => {
  test.each<[string, string]>([
    ['two of them', 'Host: localhost\r\nHost: localhost\r\n'],
    ['two that differ', 'Host: localhost\r\nhost: example.org\r\n'],
    ['an empty one', 'Host:\r\n'],
    ['a space', 'Host: local host\r\n'],
    ['a path', 'Host: localhost/v1\r\n'],
    ['a user', 'Host: me@localhost\r\n'],
    ['no port after a colon', 'Host: localhost:\r\n'],
    ['none', ''],
  ])('with %s is rejected before the request is counted', async (_, headers) => {
    const { url } = await start({ rateLimit: 1, apiKeys: ['a-key-of-some-length'] });
    const request = `POST /v1/images/generations HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`;
    for (let i = 0; i < 2; i++) expect(await exchange(url, request)).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('may be an IPv6 address, and is optional in HTTP/1.0', async () => {
    const { url } = await start();
    const get = 'GET /healthz HTTP/1.1\r\nConnection: close\r\n';
    expect(await exchange(url, `${get}Host: [::1]:80\r\n\r\n`)).toMatch(/^HTTP\/1\.1 200 /);
    const open = await start({ apiKeys: ['a-key-of-some-length'] });
    expect(await exchange(open.url, 'GET /healthz HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /);
  });
});

test('a made-up key does not raise the rate limit of a server without keys', async () => {
  const { post } = await start({ rateLimit: 1 });
  const send = (by: string) => post('{}', { headers: { authorization: `Bearer ${by}` } });
  expect((await send('one')).status).toBe(415);
  expect((await send('another')).status).toBe(429);
});

describe('pages of other origins', () => {
  const origin = 'https://example.org';
  let server: Awaited<ReturnType<typeof start>>;
  beforeAll(async () => {
    server = await start();
  });

  test('may not send requests, including forms', async () => {
    const headers = { origin, 'content-type': 'application/json' };
    expect(await errorOf(await server.post({ prompt }, { headers }))).toMatchObject({
      status: 403,
      code: 'wrong_origin',
    });
    const remove = await fetch(`${server.url}/v1/models`, { method: 'DELETE', headers });
    expect(await errorOf(remove)).toMatchObject({ status: 403, code: 'wrong_origin' });
    const response = await fetch(`${server.url}/v1/models`, { headers: { origin } });
    expect(response.headers.has('access-control-allow-origin')).toBe(false);
  });

  test('may send requests if --cors names them', async () => {
    const named = await start({ cors: [origin] });
    const headers = { origin, 'content-type': 'application/json' };
    const response = await named.post({ ...short, prompt }, { headers });
    expect(response.status).toBe(200);
    expect(response.headers.get('access-control-allow-origin')).toBe(origin);
    const ask = {
      ...{ origin, 'access-control-request-method': 'POST' },
      'access-control-request-headers': 'authorization,content-type',
    };
    const closed = await start({ cors: [origin], apiKeys: ['a-key-of-some-length'] });
    const init = { method: 'OPTIONS', headers: ask };
    const asked = await fetch(`${closed.url}/v1/images/generations`, init);
    expect(asked.status).toBe(204);
    expect(asked.headers.get('access-control-allow-origin')).toBe(origin);
    expect(asked.headers.get('access-control-allow-headers')).toContain('authorization');
    await expect(start({ cors: ['*'] })).rejects.toThrow(/Expected an origin/);
  });

  /** The status of a request under a host name. */
  const statusUnder = (host: string, headers: Record<string, string> = {}, method = 'GET') => {
    const { port, hostname } = new URL(server.url);
    return new Promise((resolve, reject) => {
      const options = { port, hostname, method, path: '/v1/models', headers: { ...headers, host } };
      httpRequest(options, (response) => resolve(response.statusCode))
        .on('error', reject)
        .end();
    });
  };

  test('cannot reach the server through their own host name', async () => {
    expect(await statusUnder('example.org')).toBe(403);
  });

  test('host names are compared without case', async () => {
    const { port } = new URL(server.url);
    for (const host of ['localhost', 'Localhost', 'LOCALHOST']) {
      expect(await statusUnder(`${host}:${port}`)).toBe(200);
      const headers = { origin: `http://localhost:${port}` };
      // Not 403.
      expect(await statusUnder(`${host}:${port}`, headers, 'DELETE')).toBe(405);
    }
    const named = createSettings({ host: 'LocalHost' });
    expect(named.apiKeys).toEqual([]);
  });
});
