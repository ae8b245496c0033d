import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { start } from '../helpers/server.js';

test('describes each operation with its responses and defaults', async () => {
  const { url } = await start();
  const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, { operationId: string; responses: object }>>;
  };
  const all = Object.values(paths).flatMap((path) => Object.values(path));
  expect(all.length).toBeGreaterThan(1);
  expect(new Set(all.map(({ operationId }) => operationId)).size).toBe(all.length);
  for (const { responses } of all) expect(responses).toHaveProperty('200');
  expect(paths['/v1/images/generations']?.post).toHaveProperty(
    ['requestBody', 'content', 'application/json', 'schema', 'properties', 'n', 'default'],
    1,
  );
});

test('docs/guide/serving.md lists every route', async () => {
  const { url } = await start();
  const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: object };
  const guide = readFileSync('docs/guide/serving.md', 'utf8');
  const listed = Object.keys(paths).map((path) =>
    path.replace(/\{(\w+)\}/, (_, name) => name.toUpperCase()),
  );
  for (const path of listed) expect(guide).toContain(`${path}\``);
});
