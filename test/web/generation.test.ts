import { resolve } from 'node:path';
import sharp from 'sharp';
import { beforeAll, expect, test } from 'vitest';
import { karlo, urlOf } from '../serve/helpers/processes.js';
import { heart } from '../serve/helpers/server.js';
import { button, cancelSlow, choose, downloaded, drop, ended, images, open, phone, quick, slowDown, useBrowser } from './browser.js'; // biome-ignore format: one line

useBrowser();
let url: string;
beforeAll(async () => {
  url = urlOf(await karlo(['serve', '--port', '0']));
});

test('an example prompt generates images with previews, which a reload keeps', async () => {
  const page = await open(`${url}/#prior.steps=5&decoder.steps=6`);
  await page.getByText('karlo-tiny').waitFor();
  await button(page, 'a red heart on a white background').click();
  await page.getByRole('radio', { name: '2', exact: true }).check({ force: true });
  await slowDown(page);
  await button(page, 'Create').click();
  await page.getByAltText('Preview 1').waitFor();
  await page.getByRole('progressbar', { name: /left/ }).first().waitFor();
  await cancelSlow(page);
  await button(page, 'Create').click();
  await ended(page);
  expect(await images(page).count()).toBe(2);
  const { name, bytes } = await downloaded(page);
  expect(name).toMatch(/^karlo-a-red-heart-on-a-white-background-\d+\.png$/);
  expect(bytes.subarray(1, 4).toString()).toBe('PNG');
  await expect
    .poll(() => new URL(page.url()).hash)
    .toBe('#prompt=a+red+heart+on+a+white+background&n=2&prior.steps=5&decoder.steps=6');
  await page.reload();
  await images(page).nth(1).waitFor();
  expect((await downloaded(page)).bytes).toEqual(bytes);
});

test('images that an earlier version of the page has stored are still shown', async () => {
  const page = await open(url);
  await page.getByText('karlo-tiny').waitFor();
  await page.evaluate(`new Promise((resolve, reject) => {
    const request = indexedDB.open('karlo');
    request.onerror = reject;
    request.onsuccess = () => {
      const settings = { kind: 'create', prompt: 'an old image', count: 1, seed: 5, sampling: 'fast', prior: {}, decoder: {} };
      const pictures = [{ seed: 5, blob: new Blob() }];
      const run = { id: '0mb5g0000-1', settings, pictures, warnings: [] };
      const transaction = request.result.transaction('runs', 'readwrite');
      transaction.objectStore('runs').put(run);
      transaction.oncomplete = resolve;
    };
  })`);
  await page.reload();
  await page.getByRole('article', { name: 'an old image' }).waitFor();
  expect(await images(page).count()).toBe(1);
});

test('cancel also stops the work on the server', async () => {
  const page = await open(url + quick('a blue star'));
  const metrics = async () => (await fetch(`${url}/metrics`)).text();
  await slowDown(page);
  await button(page, 'Create').click();
  await page
    .getByRole('progressbar', { name: /Drawing/ })
    .first()
    .waitFor();
  expect(await metrics()).toContain('karlo_running 1');
  await button(page, 'Cancel').click();
  await ended(page);
  await expect.poll(metrics).toContain('karlo_running 0');
  expect(await page.getByRole('article').count()).toBe(0);
  expect(await page.getByRole('alert').textContent()).toBe('');
});

test('a locked seed generates the same image, and otherwise each run has a new seed', async () => {
  const page = await open(url + quick('a green ring'));
  const seed = page.getByLabel('Seed', { exact: true });
  const generate = async () => {
    await button(page, 'Create').click();
    await ended(page);
    const { name, bytes } = await downloaded(page);
    return { seed: await seed.inputValue(), name, bytes };
  };
  const first = await generate();
  await button(page, 'Lock seed').click();
  const same = await generate();
  expect(same).toEqual(first);
  await button(page, 'New random seed').click();
  expect(await seed.inputValue()).not.toBe(first.seed);
  await button(page, 'Lock seed').click();
  const other = await generate();
  expect(other.bytes).not.toEqual(first.bytes);
  await choose(page, 'Reuse settings', page.locator('.tile').last());
  expect((await generate()).bytes).toEqual(first.bytes);
});

test('a link fills in the form, and starts nothing', async () => {
  const stage = { 'decoder.guidance': 2.5, 'decoder.sampler': 'dpm++' };
  const address = quick('a black cross', { n: 2, seed: 4294967295, ...stage });
  const page = await open(url + address);
  const posts: string[] = [];
  page.on(
    'request',
    (request) => request.method() === 'POST' && posts.push(request.postData() ?? ''),
  );
  await page.getByText('karlo-tiny').waitFor();
  expect(await page.getByLabel('Prompt').inputValue()).toBe('a black cross');
  expect(await page.getByLabel('Seed', { exact: true }).inputValue()).toBe('4294967295');
  expect(await button(page, 'Lock seed').getAttribute('aria-pressed')).toBe('true');
  expect(await page.getByLabel('Decoder guidance value').inputValue()).toBe('2.5');
  expect(await page.getByLabel('Decoder sampler').inputValue()).toBe('dpm++');
  await page.getByLabel('Prior sampler').selectOption('UniPC');
  expect(posts).toEqual([]);
  await button(page, 'Create').click();
  await ended(page);
  expect(JSON.parse(posts[0] as string)).toMatchObject({
    ...{ prompt: 'a black cross', n: 2, seed: 4294967295, sampling: 'fast' },
    prior: { steps: 2, sampler: 'unipc' },
    decoder: { steps: 4, guidance_scale: 2.5, sampler: 'dpm++' },
    upsample: { steps: 1 },
  });
  expect(await page.locator('.tile-caption .number').allTextContents()).toEqual([
    '4294967295',
    '0',
  ]);
  await page.goto(
    `${url}/#n=99&seed=-1&decoder.steps=1e9&prior.guidance=x&prior.sampler=euler&sampling=best&tab=?`,
  );
  await page.getByRole('radio', { name: '4', exact: true, checked: true }).waitFor();
  expect(await button(page, 'Lock seed').getAttribute('aria-pressed')).toBe('false');
});

test('varies a result, a dropped file and a chosen file', async () => {
  const page = await open(url + quick('a pink moon'));
  await button(page, 'Create').click();
  await ended(page);
  await images(page).first().click();
  await page.getByRole('dialog').getByText('2 steps of DDPM, guidance 4').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Vary image' }).click();
  await button(page, 'Vary').click();
  await page.getByRole('article', { name: 'Image variations' }).waitFor();
  await ended(page);
  expect(await images(page).count()).toBe(2);
  const source = page.getByAltText('Selected');
  await button(page, 'Remove image').click();
  expect(await button(page, 'Vary').isDisabled()).toBe(true);
  await drop(page, resolve('package.json'), '.drop-zone');
  await page.getByText('Choose a PNG').waitFor();
  await drop(page, resolve(heart), '.drop-zone');
  await source.waitFor();
  await button(page, 'Vary').click();
  await ended(page);
  expect(await images(page).count()).toBe(3);
  await button(page, 'Remove image').click();
  const choosing = page.waitForEvent('filechooser');
  await button(page, 'Choose an image').click();
  await (await choosing).setFiles(heart);
  await source.waitFor();
});

test('chooses the best of several drafts, whose seed repeats the image', async () => {
  const page = await open(url + quick('a green ring', { candidates: 2, seed: 5 }));
  expect(await page.getByRole('radio', { name: /^2/ }).last().isChecked()).toBe(true);
  await page.getByRole('radio', { name: /^4/ }).last().check({ force: true });
  await button(page, 'Create').click();
  await ended(page);
  await page.getByText('best of 4').waitFor();
  const { bytes } = await downloaded(page);
  await choose(page, 'Reuse settings');
  expect(await page.getByRole('radio', { name: /^1/ }).last().isChecked()).toBe(true);
  await button(page, 'Create').click();
  await ended(page);
  const pixels = (file: Buffer) => sharp(file).raw().toBuffer();
  expect(await pixels((await downloaded(page)).bytes)).toEqual(await pixels(bytes));
});

test('a pasted image is selected for variation', async () => {
  const page = await open(url);
  await page.getByLabel('Prompt').waitFor();
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.evaluate(`(async () => {
    const image = await new OffscreenCanvas(8, 8);
    image.getContext('2d').fillRect(0, 0, 8, 8);
    const blob = await image.convertToBlob();
    await navigator.clipboard.write([new ClipboardItem({ [blob.type]: blob })]);
  })()`);
  await page.keyboard.press('Control+V');
  await page.getByAltText('Selected').waitFor();
});

test('on a phone, nothing is wider than the screen, and the main button stays within reach', async () => {
  const page = await open(url + quick('a gray square', { n: 2 }), phone);
  await button(page, 'Create').tap();
  await ended(page);
  await images(page).first().tap();
  const overflow = 'document.scrollingElement.scrollWidth - innerWidth';
  expect(await page.evaluate(overflow)).toBe(0);
  const dialog = page.getByRole('dialog');
  const edge = async (name: string) => {
    const box = await dialog.getByRole('button', { name }).boundingBox();
    return (box?.x ?? 0) + (box?.width ?? 0);
  };
  expect(await edge('Copy prompt')).toBeLessThanOrEqual(390 - 20 - 18);
  await button(page, 'Close').tap();
  await dialog.waitFor({ state: 'detached' });
  await page.evaluate('scrollTo(0, document.body.scrollHeight)');
  const box = await button(page, 'Create').boundingBox();
  expect(box?.y).toBeGreaterThan(700);
  expect(box?.height).toBeGreaterThanOrEqual(44);
  for (const icon of await page.locator('.tile-caption button').all()) {
    expect((await icon.boundingBox())?.width).toBeGreaterThanOrEqual(44);
  }
});
