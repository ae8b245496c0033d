import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { start } from '../helpers/server.js';

const webFolder = temporaryFolder();
let url: string;
beforeAll(async () => {
  mkdirSync(join(webFolder, 'assets'));
  writeFileSync(join(webFolder, 'index.html'), '<title>karlo</title>');
  writeFileSync(join(webFolder, 'assets', 'index-1a2b.js'), 'export {};');
  writeFileSync(join(webFolder, '.secret'), 'secret');
  ({ url } = await start({ webFolder }));
});

test('serves the page with a policy that allows nothing from other origins', async () => {
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
  'serves no other file: %s',
  async (path) => {
    const { status } = await fetch(`${url}${path}`);
    expect([403, 404]).toContain(status);
  },
);

test('shows browsers a page at an unknown address, and reports an error to clients', async () => {
  writeFileSync(join(webFolder, '404.html'), '<title>404</title>');
  const { url } = await start({ webFolder });
  const get = (path: string, accept: string) => fetch(`${url}${path}`, { headers: { accept } });
  const page = await get('/nowhere', 'text/html,*/*;q=0.8');
  expect(page.status).toBe(404);
  expect(await page.text()).toBe('<title>404</title>');
  for (const response of [await get('/nowhere', '*/*'), await get('/v1/nowhere', 'text/html')]) {
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: 'not_found' } });
  }
});

test('shows where the API is if the page is not built', async () => {
  const { url } = await start({ webFolder: join(webFolder, 'nowhere') });
  expect(await (await fetch(url)).text()).toContain('/openapi.json');
});
