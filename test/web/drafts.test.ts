import type { Page } from 'playwright-core';
import sharp from 'sharp';
import { beforeAll, expect, test } from 'vitest';
import { karlo, urlOf } from '../serve/helpers/processes.js';
import { heart } from '../serve/helpers/server.js';
import { button, choose, desktop, downloaded, ended, images, open, phone, quick, useBrowser, violations } from './browser.js'; // biome-ignore format: one line

useBrowser();
let url: string;
beforeAll(async () => {
  url = urlOf(await karlo(['serve', '--port', '0']));
});

function drafts(page: Page) {
  return page.getByRole('button', { name: /^Choose draft/ });
}

/** Opens the page, and generates three drafts. */
async function openDrafts(options = desktop): Promise<Page> {
  const page = await open(url + quick('a red heart', { n: 3, seed: 5, drafts: 'first' }), options);
  await button(page, 'Create').click();
  await drafts(page).nth(2).waitFor();
  await ended(page);
  return page;
}

test('a chosen draft becomes the image that is generated without drafts', async () => {
  const page = await openDrafts();
  expect(await button(page, 'Finish drafts').isDisabled()).toBe(true);
  for (const index of [2, 1]) await drafts(page).nth(index).click();
  await button(page, 'Finish 2 drafts').click();
  await button(page, 'Open image 2').waitFor();
  await button(page, 'Open image 3').waitFor();
  await ended(page);
  expect(await drafts(page).count()).toBe(1);
  const { bytes } = await downloaded(page);
  expect((await sharp(bytes).metadata()).width).toBe(128);
  await choose(page, 'Reuse settings', page.locator('.tile').nth(1));
  await page.getByText('Settings restored, seed locked').waitFor({ state: 'attached' });
  expect(await page.getByRole('checkbox', { name: 'Drafts first' }).isChecked()).toBe(false);
  await button(page, 'Create').click();
  await expect.poll(() => images(page).count()).toBe(3);
  await ended(page);
  expect((await downloaded(page)).bytes).toEqual(bytes);
});

test('drafts are kept, and can be chosen and finished with the keyboard', async () => {
  const page = await openDrafts();
  await page.reload();
  await drafts(page).first().focus();
  await page.keyboard.press('Space');
  expect(await drafts(page).first().getAttribute('aria-pressed')).toBe('true');
  const focused = () => page.evaluate<string>('document.activeElement.textContent');
  for (let i = 0; i < 20 && (await focused()) !== 'Finish 1 draft'; i++) {
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
  await button(page, 'Open image 1').waitFor();
  await ended(page);
  expect(await drafts(page).count()).toBe(2);
  await page.reload();
  await button(page, 'Open image 1').waitFor();
  expect(await drafts(page).count()).toBe(2);
});

test('finishing can be cancelled, and continues after a reload', async () => {
  const page = await openDrafts();
  // Requests that are held back stay unfinished.
  await page.route('**/v1/images/finishes', () => {});
  await button(page, 'Finish').first().click();
  await page.getByText('0 of 1 ready').waitFor();
  await button(page, 'Cancel').click();
  await ended(page);
  expect(await drafts(page).count()).toBe(3);
  await drafts(page).nth(1).click();
  await button(page, 'Finish 1 draft').click();
  await page.getByText('0 of 1 ready').waitFor();
  await page.reload();
  await page.getByText('The page was closed or reloaded').waitFor();
  await page.unrouteAll();
  await button(page, 'Continue').click();
  await button(page, 'Open image 2').waitFor();
  await ended(page);
  expect(await drafts(page).count()).toBe(2);
  expect(await page.getByText('The page was closed or reloaded').count()).toBe(0);
});

test('variations and mixes have drafts, and the other tabs have none', async () => {
  const page = await open(url + quick('', { tab: 'vary', drafts: 'first' }));
  await page.locator('input[type=file]').setInputFiles(heart);
  const finishOne = async (tab: string) => {
    await button(page, tab).click();
    await drafts(page).waitFor();
    await ended(page);
    await button(page, 'Finish').click();
    await drafts(page).waitFor({ state: 'detached' });
    await page.getByRole('article').first().getByRole('button', { name: 'Open image 1' }).waitFor();
    await ended(page);
  };
  await finishOne('Vary');
  await page.getByRole('tab', { name: 'Mix' }).click();
  await page.getByRole('textbox', { name: 'Part 1', exact: true }).fill('a blue star');
  await page.getByRole('textbox', { name: 'Part 2', exact: true }).fill('a red heart');
  await finishOne('Mix');
  expect(await images(page).count()).toBe(2);
  for (const name of ['Interpolate', 'Edit']) {
    await page.getByRole('tab', { name }).click();
    await page.getByRole('tabpanel', { name }).waitFor();
    expect(await page.getByRole('checkbox', { name: 'Drafts first' }).count()).toBe(0);
  }
});

test.each([
  ['light', { ...desktop, colorScheme: 'light' }],
  ['dark, on a phone', { ...phone, colorScheme: 'dark' }],
] as const)('axe finds no violations: %s', async (_name, options) => {
  const page = await openDrafts(options);
  expect(await violations(page)).toEqual([]);
  await drafts(page).first().click();
  expect(await violations(page)).toEqual([]);
  await page.getByText('Drafts first', { exact: true }).click();
  await page.getByRole('radiogroup', { name: 'Drafts per image' }).waitFor();
  expect(await violations(page)).toEqual([]);
});
