import { resolve } from 'node:path';
import sharp from 'sharp';
import { beforeAll, expect, test } from 'vitest';
import { karlo, urlOf } from '../serve/helpers/processes.js';
import { heart } from '../serve/helpers/server.js';
import { button, drop, ended, images, open, quick, useBrowser } from './browser.js';

useBrowser();
let url: string;
beforeAll(async () => {
  url = urlOf(await karlo(['serve', '--port', '0']));
});

test('says what a run still needs', async () => {
  const page = await open(url);
  await page.getByText('Enter a prompt first.').waitFor();
  expect(await button(page, 'Create').isDisabled()).toBe(true);
  await page.getByLabel('Prompt').fill('a red heart');
  await page.getByText('Enter a prompt first.').waitFor({ state: 'detached' });
  expect(await button(page, 'Create').isDisabled()).toBe(false);
  await page.getByRole('tab', { name: 'Vary' }).click();
  await page.getByText('Choose an image first.').waitFor();
});

test('an image can be dropped anywhere', async () => {
  const page = await open(url);
  await page.getByText('karlo-tiny').waitFor();
  await drop(page, resolve(heart), '.empty');
  await page.getByAltText('Selected').waitFor();
  expect(await page.getByRole('tab', { name: 'Vary' }).getAttribute('aria-selected')).toBe('true');
  expect(await page.locator('.drop-hint').count()).toBe(0);
  expect(page.url()).toContain(url);
});

test('a wide image is cropped or stretched, as the page shows', async () => {
  const page = await open(url + quick('', { tab: 'vary' }));
  await page.getByText('karlo-tiny').waitFor();
  await page.locator('input[type=file]').setInputFiles({
    ...{ name: 'wide.png', mimeType: 'image/png' },
    buffer: await stripes(),
  });
  const frame = page.locator('.crop-frame');
  await frame.waitFor();
  expect(await sentColours()).toEqual(['green']);
  await page.getByLabel('Position of the crop value').fill('0');
  await page.keyboard.press('Enter');
  expect(await sentColours()).toEqual(['red']);
  await page.getByText('Stretch').click();
  await frame.waitFor({ state: 'detached' });
  expect(await sentColours()).toEqual(['red', 'green', 'blue']);

  /** Starts a run, and returns the colours of the image that the history shows as its source. */
  async function sentColours(): Promise<string[]> {
    const before = await images(page).count();
    await button(page, 'Vary').click();
    await expect.poll(() => images(page).count()).toBe(before + 1);
    await ended(page);
    return page.evaluate(`(async () => {
      const image = await createImageBitmap(document.querySelector('.run-source'));
      if (image.width !== image.height) return ['not a square'];
      const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
      context.drawImage(image, 0, 0);
      const names = ['red', 'green', 'blue'];
      const found = [1, 3, 5].map((sixth) => {
        const pixel = [...context.getImageData((sixth * image.width) / 6, 8, 1, 1).data].slice(0, 3);
        return names[pixel.indexOf(Math.max(...pixel))];
      });
      return [...new Set(found)];
    })()`);
  }
});

/** A red, a green and a blue square next to each other. */
function stripes(): Promise<Buffer> {
  const square = (background: string, left: number) => ({
    input: { create: { width: 100, height: 100, channels: 3 as const, background } },
    ...{ left, top: 0 },
  });
  const colours = ['#f00', '#0f0', '#00f'].map((colour, i) => square(colour, 100 * i));
  return sharp({ create: { width: 300, height: 100, channels: 3, background: '#000' } })
    .composite(colours)
    .png()
    .toBuffer();
}

test('files that the server would reject are not sent', async () => {
  const page = await open(`${url}/#tab=vary`);
  await page.getByText('karlo-tiny').waitFor();
  const select = (name: string, mimeType: string, buffer: Buffer) =>
    page.locator('input[type=file]').setInputFiles({ name, mimeType, buffer });
  await select('broken.png', 'image/png', Buffer.from('not an image'));
  await page.getByText("Your browser can't read this image.").waitFor();
  const long = { create: { width: 16_500, height: 2, channels: 3 as const, background: '#fff' } };
  await select('long.png', 'image/png', await sharp(long).png().toBuffer());
  await page.getByText('16384 pixels on each side. This one has 16500 × 2.').waitFor();
  await select('text.txt', 'text/plain', Buffer.from('text'));
  await page.getByText('Choose a PNG').waitFor();
  expect(await button(page, 'Vary').isDisabled()).toBe(true);
});

test('a browser sees a page at an unknown address, and a program an error', async () => {
  const page = await open(`${url}/nowhere`);
  await page.getByRole('heading', { name: "This page doesn't exist" }).waitFor();
  expect((await fetch(`${url}/nowhere`)).headers.get('content-type')).toMatch(/json/);
  const api = await fetch(`${url}/v1/nowhere`, { headers: { accept: 'text/html' } });
  expect(api.status).toBe(404);
  expect(api.headers.get('content-type')).toMatch(/json/);
  await page.getByRole('link', { name: 'Create images' }).click();
  await page.getByLabel('Prompt').waitFor();
});

test('titles are in the bundled typeface', async () => {
  const page = await open(url);
  await page.getByText('Every image starts as noise.').waitFor();
  const loaded = `document.fonts.ready.then(() => [...document.fonts]
    .filter(({ status }) => status === 'loaded').map(({ family }) => family))`;
  await expect.poll(() => page.evaluate(loaded)).toContain('Source Serif 4 Variable');
});
