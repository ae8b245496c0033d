import { beforeAll, expect, test } from 'vitest';
import { karlo, urlOf } from '../serve/helpers/processes.js';
import { button, desktop, ended, images, open, phone, quick, useBrowser, violations } from './browser.js'; // biome-ignore format: one line

useBrowser();
let url: string;
beforeAll(async () => {
  url = urlOf(await karlo(['serve', '--port', '0']));
});

test.each([
  ['light', { ...desktop, colorScheme: 'light' }],
  ['dark, on a phone', { ...phone, colorScheme: 'dark' }],
] as const)('axe finds no violations: %s', async (_name, options) => {
  const page = await open(url + quick('a red heart', { n: 2, 'decoder.steps': 40 }), options);
  await page.getByText('karlo-tiny').waitFor();
  expect(await violations(page)).toEqual([]);
  await button(page, 'Create').click();
  await page.getByAltText('Preview 1').waitFor();
  expect(await violations(page)).toEqual([]);
  await ended(page);
  expect(await violations(page)).toEqual([]);
  await images(page).first().click();
  await page.getByRole('dialog').waitFor();
  expect(await violations(page)).toEqual([]);
  await page.getByRole('dialog').getByRole('button', { name: 'Copy prompt' }).click();
  await page.getByText('Prompt copied').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Vary image' }).click();
  await page.getByAltText('Selected for variation').waitFor();
  expect(await violations(page)).toEqual([]);
});

test('with reduced motion, only toasts are animated', async () => {
  const page = await open(url + quick('a red heart', { 'decoder.steps': 40 }));
  await page.getByText('karlo-tiny').waitFor();
  const longest = (selector: string) =>
    page.locator(selector).evaluateAll((elements) =>
      Math.max(
        ...elements.flatMap((element) => {
          const style = element.ownerDocument.defaultView?.getComputedStyle(element);
          return `${style?.animationDuration}, ${style?.transitionDuration}`
            .split(', ')
            .map(Number.parseFloat);
        }),
      ),
    );
  await button(page, 'Create').click();
  await page.getByAltText('Preview 1').waitFor();
  expect(await longest('body *')).toBeLessThan(0.001);
  await ended(page);
  await images(page).first().click();
  await page.getByRole('dialog').waitFor();
  expect(await longest('body *')).toBeLessThan(0.001);
  await page.getByRole('dialog').getByRole('button', { name: 'Copy prompt' }).click();
  await page.getByText('Prompt copied').waitFor();
  expect(await longest('.toast')).toBe(2.8);
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
  await page.getByRole('radio', { name: '1', exact: true }).focus();
  await page.keyboard.press('ArrowRight');
  await tabTo(/^Lock seed/);
  await page.keyboard.press('Space');
  await page.getByLabel('Prompt').focus();
  await page.keyboard.press('Enter');
  await ended(page);
  expect(await images(page).count()).toBe(2);
  expect(new URL(page.url()).hash).toMatch(/n=2&seed=\d+/);
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
