import { randomBytes } from 'node:crypto';
import sharp from 'sharp';
import { beforeAll, expect, test } from 'vitest';
import { end, karlo, type Program, urlOf } from '../serve/helpers/processes.js';
import { clients, occupy } from '../serve/helpers/server.js';
import { button, ended, images, open, quick, slowDown, useBrowser, violations } from './browser.js';

useBrowser();
const key = 'correct-horse-battery';
let busy: Program;
let killed: Program;
let secured: Program;
let limited: Program;
beforeAll(async () => {
  const serve = (...flags: string[]) => karlo(['serve', '--port', '0', '--threads', '1', ...flags]);
  [busy, killed, secured, limited] = await Promise.all([
    serve('--concurrency', '1', '--queue-size', '1'),
    serve(),
    serve('--api-key', key),
    serve('--max-n', '3', '--max-image', '1'),
  ]);
});

/** Waits for a line of a server's metrics. */
const until = (url: string, line: string) =>
  expect.poll(async () => (await fetch(`${url}/metrics`)).text()).toContain(line);

test('a busy server shows the position in the queue, reports a full queue, and then generates', async () => {
  const url = urlOf(busy);
  const page = await open(url + quick('a red heart'));
  const running = occupy(clients(url));
  await until(url, 'karlo_running 1');
  await button(page, 'Create').click();
  await page.getByText('Number 1 in the queue').waitFor();
  await button(page, 'Cancel').click();
  await until(url, 'karlo_queue_length 0');
  const waiting = occupy(clients(url));
  await until(url, 'karlo_queue_length 1');
  await button(page, 'Create').click();
  await page.getByText('The server is busy').waitFor();
  expect(await page.getByRole('status').allTextContents()).toEqual(['']);
  expect(await page.getByRole('alert').textContent()).toMatch(/The queue is full\. Try again in/);
  expect(await violations(page)).toEqual([]);
  await Promise.all([running.stop(), waiting.stop()]);
  await until(url, 'karlo_running 0');
  await page.getByRole('button', { name: /^Try again/ }).click();
  await images(page).first().waitFor();
  await ended(page);
  expect(await page.getByRole('alert').textContent()).toBe('');
});

test('an image that is too large is rejected before it is sent, and the form offers no more images than the server allows', async () => {
  const page = await open(urlOf(limited) + quick('a red heart', { n: 8 }));
  await page.getByText('karlo-tiny').waitFor();
  await page.getByRole('radio', { name: '3', exact: true, checked: true }).waitFor();
  expect(await page.getByRole('radio', { name: '4', exact: true }).count()).toBe(0);
  await page.getByRole('tab', { name: 'Vary' }).click();
  const file = { name: 'noise.png', mimeType: 'image/png', buffer: await noise(800) };
  await page.locator('input[type=file]').setInputFiles(file);
  await page.getByText('Choose an image file of at most 1.0 MB. This one has 1.9 MB.').waitFor();
  expect(await button(page, 'Vary').isDisabled()).toBe(true);
});

/** An image that cannot be compressed. */
function noise(side: number): Promise<Buffer> {
  const raw = { width: side, height: side, channels: 3 } as const;
  return sharp(randomBytes(side * side * 3), { raw })
    .png()
    .toBuffer();
}

test('a server that stops is reported as unreachable until it is back', async () => {
  const url = urlOf(killed);
  const page = await open(url + quick('a red heart'));
  await slowDown(page);
  await button(page, 'Create').click();
  await page
    .getByRole('progressbar', { name: /Drawing/ })
    .first()
    .waitFor();
  await end(killed, 'SIGKILL');
  await page.getByText('Connection lost').waitFor();
  await page.getByText('Server unreachable').waitFor();
  await karlo(['serve', '--port', new URL(url).port]);
  await page.getByRole('banner').getByText('karlo-tiny').waitFor();
});

test('a server with a key asks for it, and the page keeps it only for the tab', async () => {
  const url = urlOf(secured);
  const page = await open(url + quick('a red heart'));
  await page.getByText('Enter your API key').waitFor();
  expect(await violations(page)).toEqual([]);
  await page.getByLabel('API key', { exact: true }).fill('wrong-horse-battery');
  await page.keyboard.press('Enter');
  await page.getByText('The server rejected this key').waitFor();
  await page.getByLabel('API key', { exact: true }).fill(key);
  await button(page, 'Continue').click();
  await page.getByText('karlo-tiny').waitFor();
  await button(page, 'Create').click();
  await images(page).first().waitFor();
  expect(await page.evaluate('JSON.stringify(localStorage)')).not.toContain(key);
  expect(page.url()).not.toContain(key);
});
