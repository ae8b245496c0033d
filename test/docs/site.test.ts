// The site that `npm run docs` builds, in a browser. Its own build fails on dead links.
import { spawn } from 'node:child_process';
import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { root } from '../../scripts/build/ready.mjs';
import { atEnd } from '../serve/helpers/at-end.js';
import { desktop, open, phone, useBrowser, violations } from '../web/browser.js';

const out = join(root, 'docs', '.vitepress', 'dist');
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.png': 'image/png',
};

/** One page of each kind. */
const kinds = [
  'index.html',
  'guide/libtorch.html',
  'guide/clip-space.html',
  'reference/options.html',
  'reference/cli.html',
  'reference/environment.html',
  'reference/api/karlo.html',
  'gallery.html',
  'project/changelog.html',
];

useBrowser();
let url: string;
beforeAll(async () => {
  await build();
  url = await serveFolder(out);
}, 600_000);

test.each([
  ['light', { ...desktop, colorScheme: 'light' }],
  ['dark', { ...desktop, colorScheme: 'dark' }],
  ['light, on a phone', { ...phone, colorScheme: 'light' }],
  ['dark, on a phone', { ...phone, colorScheme: 'dark' }],
] as const)('every kind of page fits, without violations: %s', async (_name, options) => {
  const found = [];
  for (const kind of kinds) {
    const page = await open(`${url}/${kind}`, options);
    const width = await page.evaluate('document.documentElement.scrollWidth');
    found.push({ kind, width, axe: await violations(page) });
    await page.context().close();
  }
  const width = options.viewport?.width;
  expect(found).toEqual(kinds.map((kind) => ({ kind, width, axe: [] })));
});

test('the search finds a page without another host', async () => {
  const page = await open(`${url}/guide/libtorch.html`);
  const others: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(url)) others.push(request.url());
  });
  await page.reload();
  await page
    .getByRole('button', { name: /search/i })
    .first()
    .click();
  await page.getByRole('searchbox').fill('KARLO_CPU_CAPABILITY');
  await page.getByRole('option').first().waitFor();
  expect(others).toEqual([]);
});

test('a page can be read, and others reached, without JavaScript', async () => {
  const page = await open(`${url}/guide/clip-space.html`, { ...desktop, javaScriptEnabled: false });
  expect(await page.locator('main').innerText()).toContain('CLIP space');
  await page.locator('aside a, nav a').filter({ hasText: 'Command line' }).first().click();
  await page.getByRole('heading', { level: 1, name: /Command line/ }).waitFor();
});

test('the files name no other host, except in links', () => {
  const files = readdirSync(out, { recursive: true, encoding: 'utf8' });
  const pages = files.filter((name) => name.endsWith('.html'));
  expect(pages.length).toBeGreaterThan(30);
  for (const name of pages) {
    const html = readFileSync(join(out, name), 'utf8');
    const loaded = html.match(/<(?:script|link|img|iframe)[^>]*(?:src|href)="https?:[^"]*"/g);
    expect({ name, loaded }).toEqual({ name, loaded: null });
  }
});

test('llms.txt lists every page, and llms-full.txt has their texts', () => {
  const list = readFileSync(join(out, 'llms.txt'), 'utf8');
  const linked = [...list.matchAll(/\]\((.+?)\)/g)].map(([, path]) => path as string);
  expect(linked.length).toBeGreaterThan(30);
  for (const path of linked) expect(existsSync(join(out, path)), path).toBe(true);
  const texts = readFileSync(join(out, 'llms-full.txt'), 'utf8');
  for (const heading of ['# Command line', '# HTTP API', '# Environment variables']) {
    expect(texts).toContain(`\n${heading}\n`);
  }
});

/** Asynchronous, so that this process can answer Vitest in the meantime. */
async function build(): Promise<void> {
  const child = spawn(process.execPath, [join(root, 'scripts', 'docs', 'main.mjs')]);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const status = await new Promise((done) => child.on('close', done));
  if (status !== 0) throw new Error(`npm run docs ended with status ${status}: ${output}`);
}

async function serveFolder(folder: string): Promise<string> {
  const server = createServer(({ url: path = '/' }, response) => {
    const file = join(folder, decodeURIComponent(new URL(path, 'http://site').pathname));
    if (!existsSync(file)) return response.writeHead(404).end();
    response.setHeader('content-type', types[extname(file)] ?? 'application/octet-stream');
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  atEnd(() => server.close());
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}
