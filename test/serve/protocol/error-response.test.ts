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

test('responds with 405 to an unsupported method, and names the supported ones', async () => {
  const response = await fetch(`${url}/v1/images/generations`);
  expect(response.headers.get('allow')).toBe('POST');
  expect(await errorOf(response)).toMatchObject({ status: 405, code: 'method_not_allowed' });
  const sent = await fetch(`${url}/v1/models`, { method: 'POST' });
  expect(sent.headers.get('allow')).toBe('GET');
});
