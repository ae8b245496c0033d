import { beforeAll, expect, test } from 'vitest';
import { karlo, urlOf } from '../serve/helpers/processes.js';
import { button, cancelSlow, desktop, ended, images, open, phone, quick, slowDown, useBrowser, violations } from './browser.js'; // biome-ignore format: one line

useBrowser();
let url: string;
beforeAll(async () => {
  url = urlOf(await karlo(['serve', '--port', '0']));
});

test.each([
  ['light', { ...desktop, colorScheme: 'light' }],
  ['dark, on a phone', { ...phone, colorScheme: 'dark' }],
] as const)('axe finds no violations: %s', async (_name, options) => {
  const page = await open(url + quick('a red heart', { n: 2 }), options);
  await page.getByText('karlo-tiny').waitFor();
  expect(await violations(page)).toEqual([]);
  await slowDown(page);
  await button(page, 'Create').click();
  await page.getByAltText('Preview 1').waitFor();
  expect(await violations(page)).toEqual([]);
  await cancelSlow(page);
  await button(page, 'Create').click();
  await ended(page);
  expect(await violations(page)).toEqual([]);
  await images(page).first().click();
  await page.getByRole('dialog').waitFor();
  expect(await violations(page)).toEqual([]);
  await page.getByRole('dialog').getByRole('button', { name: 'Copy prompt' }).click();
  // It hides itself after a while.
  await page.getByText('Prompt copied').waitFor({ state: 'attached' });
  await page.getByRole('dialog').getByRole('button', { name: 'Vary image' }).click();
  await page.getByAltText('Selected').waitFor();
  expect(await violations(page)).toEqual([]);
});

test('with reduced motion, only toasts are animated', async () => {
  const page = await open(url + quick('a red heart'));
  await page.getByText('karlo-tiny').waitFor();
  // In one call: React may remove an element between two.
  const longest = (selector: string) =>
    page.evaluate<number>(`Math.max(...[...document.querySelectorAll('${selector}')]
      .map((element) => getComputedStyle(element))
      .flatMap((style) => [style.animationDuration, style.transitionDuration])
      .flatMap((durations) => durations.split(', ').map(Number.parseFloat)))`);
  await slowDown(page);
  await button(page, 'Create').click();
  await page.getByAltText('Preview 1').waitFor();
  expect(await longest('body *')).toBeLessThan(0.001);
  await cancelSlow(page);
  await button(page, 'Create').click();
  await ended(page);
  await images(page).first().click();
  await page.getByRole('dialog').waitFor();
  expect(await longest('body *')).toBeLessThan(0.001);
  await page.getByRole('dialog').getByRole('button', { name: 'Copy prompt' }).click();
  await page.getByText('Prompt copied').waitFor({ state: 'attached' });
  expect(await longest('.toast')).toBe(2.8);
});

/** What reaches beyond the right edge of the window. */
const overflowing = `[...document.querySelectorAll('body *')]
  .filter((element) => !element.closest('.examples, .visually-hidden, svg') && !element.matches('span, input'))
  .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
  .map((element) => element.outerHTML.slice(0, 120))`;

test.each(['light', 'dark'] as const)(
  'every tab fits into 320 pixels, without violations: %s',
  async (colorScheme) => {
    const page = await open(url, { viewport: { width: 320, height: 640 }, colorScheme });
    await page.getByText('karlo-tiny').waitFor();
    for (const name of ['Create', 'Vary', 'Mix', 'Interpolate', 'Edit']) {
      await page.getByRole('tab', { name }).click();
      await page.getByRole('tabpanel', { name }).waitFor();
      expect(await page.evaluate(overflowing)).toEqual([]);
      expect(await violations(page)).toEqual([]);
    }
  },
);

test('at a zoom of 200 %, all buttons of the dialog are on the screen', async () => {
  const zoomed = { viewport: { width: 640, height: 450 }, deviceScaleFactor: 2 };
  const page = await open(url + quick('a red heart', { n: 2 }), zoomed);
  await button(page, 'Create').click();
  await ended(page);
  await images(page).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  const boxes = await Promise.all(
    (await dialog.getByRole('button').all()).map((button) => button.boundingBox()),
  );
  expect(boxes.length).toBeGreaterThan(10);
  for (const box of boxes) {
    expect((box?.y ?? -1) >= 0 && (box?.y ?? 0) + (box?.height ?? 0) <= 450).toBe(true);
    expect((box?.x ?? -1) >= 0 && (box?.x ?? 0) + (box?.width ?? 0) <= 640).toBe(true);
  }
  expect(await violations(page)).toEqual([]);
});

test('the focus is marked at the control only', async () => {
  const page = await open(url + quick('a red heart'));
  await page.getByText('karlo-tiny').waitFor();
  const outlined = () =>
    page.evaluate<string[]>(`[...document.querySelectorAll('body *')]
      .filter((element) => getComputedStyle(element).outlineStyle !== 'none')
      .filter((element) => !element.closest('.visually-hidden') && element.offsetWidth > 1)
      .map((element) => element.className)`);
  await page.getByRole('tab', { name: 'Create' }).focus();
  const seen = new Set<string>();
  for (let i = 0; i < 20; i++) {
    await page.keyboard.press('Tab');
    const marks = (await outlined()).filter((name) => name !== '');
    expect(marks.length).toBeLessThanOrEqual(1);
    seen.add(marks[0] ?? '');
  }
  expect([...seen]).toEqual(expect.arrayContaining(['input prompt-input', 'example', 'segment']));
});

test('everything can be done with the keyboard', async () => {
  const page = await open(url + quick('a blue star'));
  await page.getByText('karlo-tiny').waitFor();
  const focused = () =>
    page.evaluate<string>(
      "document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent",
    );
  const tabTo = async (name: RegExp) => {
    for (let i = 0; i < 40 && !name.test(await focused()); i++) await page.keyboard.press('Tab');
    expect(await focused()).toMatch(name);
  };
  await page.getByLabel('Prompt').focus();
  await page.keyboard.type(' on a white background');
  await page.keyboard.press('Tab');
  await page
    .getByRole('radiogroup', { name: 'Images' })
    .getByRole('radio', { name: '1', exact: true })
    .focus();
  await page.keyboard.press('ArrowRight');
  await tabTo(/^Lock seed/);
  await page.keyboard.press('Space');
  await page.getByLabel('Prompt').focus();
  await page.keyboard.press('Enter');
  await ended(page);
  expect(await images(page).count()).toBe(2);
  await expect.poll(() => new URL(page.url()).hash).toMatch(/n=2&seed=\d+/);
  await tabTo(/^Open image 1/);
  await page.keyboard.press('Enter');
  await page.getByText('1 of 2').waitFor();
  await page.keyboard.press('ArrowRight');
  await page.getByText('2 of 2').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  // The focus returns to the image a frame later.
  await expect.poll(focused).toMatch(/^Open image 1/);
});
