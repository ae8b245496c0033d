import { beforeAll, expect, test } from 'vitest';
import yauzl from 'yauzl';
import { karlo, urlOf } from '../serve/helpers/processes.js';
import { button, choose, downloaded, ended, images, open, quick, slowDown, useBrowser, violations } from './browser.js'; // biome-ignore format: one line

useBrowser();
let url: string;
beforeAll(async () => {
  url = urlOf(await karlo(['serve', '--port', '0']));
});

test('runs wait for each other, and each can be cancelled', async () => {
  const page = await open(url + quick('a red heart'));
  await slowDown(page);
  await button(page, 'Create').click();
  await page.getByRole('progressbar').first().waitFor();
  await page.getByRole('textbox', { name: 'Prompt' }).fill('a blue star');
  await button(page, 'Create').click();
  const waiting = page.getByRole('article', { name: 'a blue star' });
  await waiting.getByText('Waiting for the previous run').waitFor();
  await page.getByRole('textbox', { name: 'Prompt' }).fill('a green ring');
  await button(page, 'Create').click();
  await page.getByText('2 waiting').waitFor();
  await waiting.getByRole('button', { name: 'Cancel this run' }).click();
  await waiting.waitFor({ state: 'detached' });
  await page.unrouteAll();
  await button(page, 'Cancel').click();
  const last = page.getByRole('article', { name: 'a green ring' });
  await last.getByRole('button', { name: 'Open image 1' }).waitFor();
  await ended(page);
  expect(await page.getByRole('article').count()).toBe(1);
});

test('a reload explains what was interrupted, and continues it with the same images', async () => {
  const page = await open(url + quick('a purple moon', { n: 2, seed: 7 }));
  await button(page, 'Create').click();
  await ended(page);
  const { bytes } = await downloaded(page);
  await slowDown(page);
  await button(page, 'Create').click();
  await page.getByRole('progressbar').first().waitFor();
  await page.reload();
  const interrupted = page.getByRole('article').first();
  await interrupted.getByText('The page was closed or reloaded').waitFor();
  expect(await violations(page)).toEqual([]);
  await page.unrouteAll();
  await interrupted.getByRole('button', { name: 'Continue' }).click();
  await interrupted.getByRole('button', { name: 'Open image 2' }).waitFor();
  await ended(page);
  expect(await page.getByText('The page was closed or reloaded').count()).toBe(0);
  expect((await downloaded(page)).bytes).toEqual(bytes);
});

test('favourites are kept, and can be shown and downloaded alone', async () => {
  const page = await open(url + quick('a red heart', { n: 3, seed: 1 }));
  await button(page, 'Create').click();
  await ended(page);
  const all = await downloaded(page, 'Download all');
  expect(all.name).toBe('karlo.zip');
  expect(await entriesOf(all.path)).toEqual([1, 2, 3].map((n) => `karlo-a-red-heart-${n}.png`));
  await button(page, 'Favourite').nth(1).click();
  await page.reload();
  await images(page).nth(2).waitFor();
  expect(await button(page, 'Favourite').nth(1).getAttribute('aria-pressed')).toBe('true');
  await button(page, 'Favourites').click();
  await expect.poll(() => images(page).count()).toBe(1);
  const { path } = await downloaded(page, 'Download all');
  expect(await entriesOf(path)).toEqual(['karlo-a-red-heart-2.png']);
});

/** The names of the files in an archive. */
async function entriesOf(path: string): Promise<string[]> {
  const archive = await yauzl.openPromise(path, { lazyEntries: true });
  const names: string[] = [];
  for await (const { fileName } of archive.eachEntry()) names.push(fileName);
  return names;
}

test('deleted images can be restored', async () => {
  const page = await open(url + quick('a red heart', { n: 2 }));
  await button(page, 'Create').click();
  await ended(page);
  await choose(page, 'Delete');
  await page.getByText('Image deleted').waitFor();
  await expect.poll(() => images(page).count()).toBe(1);
  // The focus was on what has been deleted.
  await expect.poll(() => page.evaluate('document.activeElement.textContent')).toBe('Undo');
  expect(await violations(page)).toEqual([]);
  await page.keyboard.press('Enter');
  await expect.poll(() => images(page).count()).toBe(2);
  await button(page, 'Clear all').click();
  await page.getByText('2 images deleted').waitFor();
  expect(await images(page).count()).toBe(0);
  await button(page, 'Undo').click();
  await expect.poll(() => images(page).count()).toBe(2);
  await button(page, 'Clear all').click();
  await button(page, 'Dismiss').click();
  await page.reload();
  await page.getByText('Every image starts as noise.').waitFor();
  expect(await images(page).count()).toBe(0);
});

test('two images can be compared', async () => {
  const page = await open(url + quick('a red heart', { n: 2, seed: 41 }));
  await button(page, 'Create').click();
  await ended(page);
  await choose(page, 'Compare', page.locator('.tile').nth(0));
  await page.getByText('Choose Compare for another image').waitFor();
  await choose(page, 'Compare', page.locator('.tile').nth(1));
  const dialog = page.getByRole('dialog', { name: 'Compare' });
  await dialog.getByAltText('a red heart, seed 42').waitFor();
  expect(await dialog.getByRole('row').allTextContents()).toEqual(['Seed4142']);
  expect(await violations(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
});

test('an image can be copied', async () => {
  const page = await open(url + quick('a red heart'));
  await button(page, 'Create').click();
  await ended(page);
  await choose(page, 'Copy image');
  await page.getByText('Image copied').waitFor({ state: 'attached' });
  const size = await page.evaluate(`(async () => {
    const [item] = await navigator.clipboard.read();
    const { width, height } = await createImageBitmap(await item.getType('image/png'));
    return [width, height];
  })()`);
  expect(size).toEqual([128, 128]);
});

test('earlier prompts can be chosen again', async () => {
  const page = await open(url + quick('a red heart'));
  await button(page, 'Create').click();
  await ended(page);
  await page.getByLabel('Prompt', { exact: true }).fill('');
  await button(page, 'Earlier prompts').click();
  await page.getByRole('menuitem', { name: 'a red heart' }).click();
  expect(await page.getByLabel('Prompt', { exact: true }).inputValue()).toBe('a red heart');
});
