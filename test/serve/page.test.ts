import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../fixtures/temporary.js';
import { short, start } from './start.js';

const webFolder = temporaryFolder();
let url: string;
let post: Awaited<ReturnType<typeof start>>['post'];
beforeAll(async () => {
  mkdirSync(join(webFolder, 'assets'));
  writeFileSync(join(webFolder, 'index.html'), '<title>karlo</title>');
  writeFileSync(join(webFolder, 'assets', 'index-1a2b.js'), 'export {};');
  writeFileSync(join(webFolder, '.secret'), 'secret');
  ({ url, post } = await start({ webFolder }));
});

test('the page is served, closed to everything from elsewhere', async () => {
  const response = await fetch(url);
  expect(await response.text()).toBe('<title>karlo</title>');
  expect(response.headers.get('content-type')).toMatch(/^text\/html/);
  const policy = response.headers.get('content-security-policy');
  expect(policy).toContain("default-src 'self'");
  expect(policy).not.toMatch(/unsafe|\*|https?:/);
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  expect(response.headers.get('cache-control')).toBe('no-cache');
  const asset = await fetch(`${url}/assets/index-1a2b.js`);
  expect(asset.headers.get('content-type')).toMatch(/javascript/);
  expect(asset.headers.get('cache-control')).toMatch(/immutable/);
});

test.each(['/.secret', '/..%2f..%2fpackage.json', '/%2e%2e/%2e%2e/etc/passwd', '/nowhere'])(
  'nothing but its files: %s',
  async (path) => {
    const { status } = await fetch(`${url}${path}`);
    expect([403, 404]).toContain(status);
  },
);

test('without a page, words say where the API is', async () => {
  const { url } = await start({ webFolder: join(webFolder, 'nowhere') });
  expect(await (await fetch(url)).text()).toContain('/openapi.json');
});

test('health, readiness and figures', async () => {
  await (await post({ ...short, prompt: 'a ring', n: 2 })).json();
  await post({ prompt: '' });
  expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok' });
  expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ status: 'ok' });
  const figures = await (await fetch(`${url}/metrics`)).text();
  for (const line of [
    /^karlo_queue_length 0$/m,
    /^karlo_running 0$/m,
    /^karlo_pictures_total\{kind="text-to-image"\} 2$/m,
    /^karlo_stage_seconds_count\{kind="text-to-image",stage="decoder"\} 1$/m,
    /^karlo_failures_total\{code="invalid_value"\} 1$/m,
    /^process_resident_memory_bytes \d+/m,
    /^nodejs_eventloop_lag_p99_seconds /m,
    /^http_request_duration_seconds_count\{method="POST",route="\/v1\/images\/generations",status="200"\} 1$/m,
  ]) {
    expect(figures).toMatch(line);
  }
});

test('each answer has a request id of the server', async () => {
  const ids = await Promise.all(
    [1, 2].map(async () => {
      const response = await fetch(`${url}/healthz`, { headers: { 'x-request-id': 'mine' } });
      return response.headers.get('x-request-id');
    }),
  );
  expect(new Set([...ids, 'mine']).size).toBe(3);
});

test('the OpenAPI document names each operation, what it answers, and what is usual', async () => {
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
