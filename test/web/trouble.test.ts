import { randomBytes } from 'node:crypto';
import sharp from 'sharp';
import { beforeAll, expect, test } from 'vitest';
import { end, karlo, type Program, urlOf } from '../serve/helpers/processes.js';
import { button, ended, faults, open, pictures, quick, useBrowser } from './browser.js';

useBrowser();
const key = 'correct-horse-battery';
let busy: Program;
let mortal: Program;
let closed: Program;
let small: Program;
beforeAll(async () => {
  const serve = (...flags: string[]) => karlo(['serve', '--port', '0', '--threads', '1', ...flags]);
  [busy, mortal, closed, small] = await Promise.all([
    serve('--concurrency', '1', '--queue-size', '1'),
    serve(),
    serve('--api-key', key),
    serve('--max-n', '3', '--max-image', '1'),
  ]);
});

/** Gives the server more to do than it will ever finish here, until `stop`. */
function occupy(url: string) {
  const controller = new AbortController();
  const body = JSON.stringify({ prompt: 'a ring', n: 8, stream: true, decoder: { steps: 1000 } });
  const headers = { 'content-type': 'application/json' };
  const init = { method: 'POST', headers, body, signal: controller.signal };
  fetch(`${url}/v1/images/generations`, init)
    .then((response) => response.text())
    .catch(() => {});
  return { stop: () => controller.abort() };
}

const until = (url: string, line: string) =>
  expect
    .poll(async () => (await fetch(`${url}/metrics`)).text(), { timeout: 10_000 })
    .toContain(line);

test('a busy server: the place in the queue, a full queue in clear words, and then pictures', async () => {
  const url = urlOf(busy);
  const page = await open(url + quick('a red heart'));
  const running = occupy(url);
  await until(url, 'karlo_running 1');
  await button(page, 'Create').click();
  await page.getByText('Place 1 in the queue').waitFor();
  await button(page, 'Cancel').click();
  await until(url, 'karlo_queue_length 0');
  const waiting = occupy(url);
  await until(url, 'karlo_queue_length 1');
  await button(page, 'Create').click();
  await page.getByText('The server is busy').waitFor();
  expect(await page.getByRole('alert').textContent()).toMatch(/all are taken: try again in/);
  expect(await faults(page)).toEqual([]);
  running.stop();
  waiting.stop();
  await until(url, 'karlo_running 0');
  await page.getByRole('button', { name: /^Try again/ }).click();
  await pictures(page).first().waitFor();
  await ended(page);
  expect(await page.getByRole('alert').textContent()).toBe('');
});

test('a picture that is too large is refused in clear words, and more than the server makes is not asked for', async () => {
  const page = await open(urlOf(small) + quick('a red heart', { n: 8 }));
  await page.getByText('karlo-tiny').waitFor();
  await page.getByRole('radio', { name: '3', exact: true, checked: true }).waitFor();
  expect(await page.getByRole('radio', { name: '4', exact: true }).count()).toBe(0);
  await page.getByRole('tab', { name: 'Vary' }).click();
  const file = { name: 'noise.png', mimeType: 'image/png', buffer: await noise(800) };
  await page.locator('input[type=file]').setInputFiles(file);
  await page.getByAltText('What will be varied').waitFor();
  await button(page, 'Vary').click();
  await page.getByText('The server refuses this').waitFor();
  expect(await page.getByRole('alert').textContent()).toContain('a picture file of at most 1 MB');
  expect(await page.getByRole('button', { name: /^Try again/ }).count()).toBe(0);
});

/** A picture file that nothing makes smaller. */
function noise(side: number): Promise<Buffer> {
  const raw = { width: side, height: side, channels: 3 } as const;
  return sharp(randomBytes(side * side * 3), { raw })
    .png()
    .toBuffer();
}

test('a server that goes away is said to be gone, and found again', async () => {
  const url = urlOf(mortal);
  const page = await open(url + quick('a red heart', { n: 8, 'decoder.steps': 100 }));
  await button(page, 'Create').click();
  await page
    .getByRole('progressbar', { name: /Drawing/ })
    .first()
    .waitFor();
  await end(mortal, 'SIGKILL');
  await page.getByText('The server went away').waitFor();
  await page.getByText('The server does not answer').waitFor();
  await karlo(['serve', '--port', new URL(url).port]);
  await page.getByRole('banner').getByText('karlo-tiny').waitFor();
});

test('a server with a key asks for it, and keeps it for the tab alone', async () => {
  const url = urlOf(closed);
  const page = await open(url + quick('a red heart'));
  await page.getByText('This server wants a key').waitFor();
  expect(await faults(page)).toEqual([]);
  await page.getByLabel('API key').fill('wrong-horse-battery');
  await page.keyboard.press('Enter');
  await page.getByText('It does not know the key').waitFor();
  await page.getByLabel('API key').fill(key);
  await button(page, 'Open').click();
  await page.getByText('karlo-tiny').waitFor();
  await button(page, 'Create').click();
  await pictures(page).first().waitFor();
  expect(await page.evaluate('JSON.stringify(localStorage)')).not.toContain(key);
  expect(page.url()).not.toContain(key);
});
