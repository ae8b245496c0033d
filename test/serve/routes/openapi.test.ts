import { expect, test } from 'vitest';
import { start } from '../helpers/server.js';

test('describes each operation with its responses and defaults', async () => {
  const { url } = await start();
  const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, { operationId: string; responses: object }>>;
  };
  const all = Object.values(paths).flatMap((path) => Object.values(path));
  expect(new Set(all.map(({ operationId }) => operationId)).size).toBe(8);
  for (const { responses } of all) expect(responses).toHaveProperty('200');
  expect(paths['/v1/images/generations']?.post).toHaveProperty(
    ['requestBody', 'content', 'application/json', 'schema', 'properties', 'n', 'default'],
    1,
  );
});
