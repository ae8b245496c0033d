import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { beforeAll, expect, test } from 'vitest';
import { karlo, urlOf } from '../serve/helpers/processes.js';
import { heart } from '../serve/helpers/server.js';
import { button, choose, downloaded, ended, images, open, quick, useBrowser, violations } from './browser.js'; // biome-ignore format: one line

useBrowser();
let url: string;
beforeAll(async () => {
  url = urlOf(await karlo(['serve', '--port', '0']));
});

/** Opens a tab with settings of few steps. */
async function openTab(tab: string, more: Record<string, string | number> = {}): Promise<Page> {
  const page = await open(url + quick('', { tab, seed: 3, ...more }));
  await page.getByText('karlo-tiny').waitFor();
  return page;
}

async function run(page: Page, name: string): Promise<void> {
  await button(page, name).click();
  await images(page).first().waitFor();
  await ended(page);
  expect((await page.getByRole('alert').allTextContents()).join('')).toBe('');
  expect(await page.locator('.run .error-text').allTextContents()).toEqual([]);
}

const pixels = (file: Buffer) => sharp(file).removeAlpha().raw().toBuffer();

test('mixes a text and an image by their weights, in an order that can be changed', async () => {
  const page = await openTab('mix');
  await page.getByText('Enter a text or choose an image for each part first.').waitFor();
  await page.getByRole('textbox', { name: 'Part 1', exact: true }).focus();
  await page.keyboard.type('blue star');
  await page.keyboard.press('Home');
  await page.keyboard.type('a ');
  await page.locator('input[type=file]').last().setInputFiles(heart);
  await page.getByAltText('Chosen for Part 2').waitFor();
  await run(page, 'Mix');
  await page.getByRole('article', { name: 'Mix of a blue star, an image' }).waitFor();
  const even = (await downloaded(page)).bytes;
  await page.getByLabel('Weight of Part 1 value').fill('0');
  await page.keyboard.press('Enter');
  await button(page, 'Mix').click();
  await expect.poll(() => images(page).count()).toBe(2);
  await ended(page);
  expect(await pixels((await downloaded(page)).bytes)).not.toEqual(await pixels(even));
  expect(await violations(page)).toEqual([]);
  await movePartTwoUp(page);
  await page.getByAltText('Chosen for Part 1').waitFor();
  expect(await page.getByRole('textbox', { name: 'Part 2', exact: true }).inputValue()).toBe(
    'a blue star',
  );
});

/** Drags the second of two parts with the keyboard. */
async function movePartTwoUp(page: Page): Promise<void> {
  const focused = () => page.evaluate("document.activeElement.getAttribute('aria-label')");
  await page.getByRole('row', { name: 'Part 2' }).focus();
  await page.keyboard.press('Tab');
  expect(await focused()).toBe('Move Part 2');
  await page.keyboard.press('Enter');
  for (const target of ['after Part 2', 'between Part 1 and Part 2', 'before Part 1']) {
    await expect.poll(focused).toBe(`Insert ${target}`);
    await page.keyboard.press(target === 'before Part 1' ? 'Enter' : 'ArrowUp');
  }
}

test('interpolates between a text and an image, with a slider and an animation', async () => {
  const page = await openTab('interpolate', { frames: 3, animation: 'gif' });
  await expect.poll(() => new URL(page.url()).hash).toContain('frames=3&animation=gif');
  await page.getByLabel('Start', { exact: true }).fill('a red heart');
  await page.getByLabel('End', { exact: true }).fill('a blue star');
  await button(page, 'Swap start and end').click();
  await run(page, 'Interpolate');
  await page.getByRole('article', { name: 'From a blue star to a red heart' }).waitFor();
  await expect.poll(() => images(page).count()).toBe(3);
  await page.getByText('Frame 1 of 3').waitFor();
  await page.getByRole('slider', { name: 'Frame', exact: true }).press('ArrowRight');
  await page.getByText('Frame 2 of 3').waitFor();
  expect(await violations(page)).toEqual([]);
  const { name, bytes } = await downloaded(page, 'Download animation');
  expect(name).toBe('karlo-from-a-blue-star-to-a-red-heart-3.gif');
  expect((await sharp(bytes).metadata()).pages).toBe(3);
});

test('repaints the painted part of an image, and keeps the rest', async () => {
  const page = await openTab('create', { prompt: 'a red heart' });
  await run(page, 'Create');
  const before = await pixels((await downloaded(page)).bytes);
  await choose(page, 'Edit image');
  await page.getByText('Paint over a part first.').waitFor();
  const painter = page.getByRole('application', { name: 'Part to repaint' });
  const box = (await painter.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  await page.mouse.move(box.x + 0.75 * box.width, box.y + 0.3 * box.height);
  await page.mouse.down();
  await page.mouse.move(box.x + 0.75 * box.width, box.y + 0.7 * box.height);
  await page.mouse.up();
  await page.getByText('Paint over a part first.').waitFor({ state: 'detached' });
  await page.getByRole('textbox', { name: 'What to paint' }).fill('a blue star');
  await button(page, 'Edit').click();
  await expect.poll(() => images(page).count()).toBe(2);
  await ended(page);
  const after = await pixels((await downloaded(page)).bytes);
  const change = (half: 0 | 1) => meanChange(before, after, half);
  expect(change(1)).toBeGreaterThan(4 * change(0));
});

/** The mean difference of the left or of the right half of two square images. */
function meanChange(a: Buffer, b: Buffer, half: 0 | 1): number {
  const side = Math.sqrt(a.length / 3);
  const isInside = (i: number) => Math.floor(i / 3) % side >= side / 2 === (half === 1);
  const differences = [...a].flatMap((value, i) =>
    isInside(i) ? [Math.abs(value - (b[i] as number))] : [],
  );
  return differences.reduce((sum, value) => sum + value, 0) / differences.length;
}

test('a mask can be painted, erased and cleared with the keyboard', async () => {
  const page = await openTab('edit');
  await page.locator('input[type=file]').setInputFiles(heart);
  const painter = page.getByRole('application', { name: 'Part to repaint' });
  const isEmpty = page.getByText('Paint over a part first.');
  await painter.focus();
  await page.keyboard.press('Space');
  await isEmpty.waitFor({ state: 'detached' });
  await button(page, 'Erase').click();
  await painter.focus();
  await page.keyboard.press('Space');
  await isEmpty.waitFor();
  await button(page, 'Erase').click();
  await painter.focus();
  await page.keyboard.press('Shift+ArrowLeft');
  await isEmpty.waitFor({ state: 'detached' });
  await button(page, 'Clear the painted part').click();
  await isEmpty.waitFor();
});

test('edits an image by the difference of two texts', async () => {
  const page = await openTab('edit', { editMode: 'text', strength: 0.3 });
  await page.locator('input[type=file]').setInputFiles(heart);
  await page.getByText('Enter both texts first.').waitFor();
  await page.getByLabel('The image shows').fill('a red heart');
  await page.getByLabel('It should show').fill('a blue heart');
  expect(await page.getByLabel('Strength value').inputValue()).toBe('0.3');
  await run(page, 'Edit');
  await page.getByRole('article', { name: 'From a red heart to a blue heart' }).waitFor();
  await choose(page, 'Reuse settings');
  await page.getByText('Settings restored, seed locked').waitFor({ state: 'attached' });
  expect(await page.getByLabel('It should show').inputValue()).toBe('a blue heart');
});
