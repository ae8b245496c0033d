import { beforeAll, expect, test } from 'vitest';
import { errorOf, start } from '../helpers/server.js';

let url: string;
beforeAll(async () => {
  ({ url } = await start());
});

test('responds with 400 to a malformed URL', async () => {
  const response = await fetch(`${url}/v1/models/%zz`);
  expect(await errorOf(response)).toMatchObject({ status: 400, type: 'invalid_request_error' });
});

test('responds with 404 to an unknown route, without its query', async () => {
  const response = await fetch(`${url}/v1/nothing?prompt=secret`);
  const error = await errorOf(response);
  expect(error).toMatchObject({ status: 404, type: 'not_found_error', code: 'not_found' });
  expect(error.message).not.toContain('secret');
});

test('responds with 404 to a path that looks like a route pattern', async () => {
  for (const path of ['/:(', '/**']) expect((await fetch(`${url}${path}`)).status).toBe(404);
});

test('responds with 404 to an unknown route, whatever its method, with CORS and with the page', async () => {
  const server = await start({ cors: ['https://example.org'] });
  for (const method of ['GET', 'POST', 'DELETE']) {
    expect((await fetch(`${server.url}/v1/nothing`, { method })).status).toBe(404);
  }
});

test('responds with 405 to an unsupported method, and names the supported ones', async () => {
  const response = await fetch(`${url}/v1/images/generations`);
  expect(response.headers.get('allow')).toBe('POST');
  expect(await errorOf(response)).toMatchObject({ status: 405, code: 'method_not_allowed' });
  const sent = await fetch(`${url}/v1/models`, { method: 'POST' });
  expect(sent.headers.get('allow')).toBe('GET, HEAD');
  const model = await fetch(`${url}/v1/models/karlo-tiny`, { method: 'DELETE' });
  expect(model.headers.get('allow')).toBe('GET, HEAD');
  expect(await errorOf(model)).toMatchObject({ status: 405, code: 'method_not_allowed' });
});
