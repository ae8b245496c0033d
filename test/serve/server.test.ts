import { expect, test } from 'vitest';
import { start } from './helpers/server.js';

test('each response has a request id that the server has chosen', async () => {
  const { url } = await start();
  const ids = await Promise.all(
    [1, 2].map(async () => {
      const response = await fetch(`${url}/healthz`, { headers: { 'x-request-id': 'mine' } });
      return response.headers.get('x-request-id');
    }),
  );
  expect(new Set([...ids, 'mine']).size).toBe(3);
});
