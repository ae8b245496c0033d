import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';

/** `npm test` sets these: see scripts/build/test-tools.mjs. */
const {
  CHROMIUM_PATH: executablePath = '/usr/bin/chromium',
  CHROMIUM_LIBRARIES: LD_LIBRARY_PATH,
  CHROMIUM_FONTS: FONTCONFIG_PATH,
} = process.env;
const env = {
  ...(process.env as Record<string, string>),
  ...(LD_LIBRARY_PATH && { LD_LIBRARY_PATH }),
  ...(FONTCONFIG_PATH && { FONTCONFIG_PATH }),
};
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Browser contexts of a desktop and of a phone. */
export const desktop: BrowserContextOptions = { viewport: { width: 1360, height: 900 } };
export const phone: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  isMobile: true,
  hasTouch: true,
};

let browser: Browser;
const pages: Page[] = [];
const consoleErrors: string[] = [];

/** Starts a browser for the test file. A test fails if its page logs an error. */
export function useBrowser(): void {
  beforeAll(async () => {
    if (!existsSync('dist/web/index.html')) {
      throw new Error('The test needs the built page: npm run build:web');
    }
    browser = await chromium.launch({ executablePath, env }).catch((error: Error) => {
      throw new Error(`The test needs Chromium (Debian: chromium): ${error.message}`);
    });
  });
  afterAll(() => browser?.close());
  afterEach(async () => {
    await Promise.all(pages.splice(0).map((page) => page.context().close()));
    expect(consoleErrors.splice(0)).toEqual([]);
  });
}

/** Opens the page in a new browser profile. */
export async function open(url: string, options = desktop): Promise<Page> {
  const permissions = ['clipboard-read', 'clipboard-write'];
  const context = await browser.newContext({ reducedMotion: 'reduce', permissions, ...options });
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  pages.push(page);
  page.on('pageerror', ({ message }) => consoleErrors.push(message));
  page.on('console', (message) => {
    // The browser logs each error status, which some tests provoke.
    const isStatus = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !isStatus) consoleErrors.push(message.text());
  });
  await page.goto(url);
  return page;
}

export function button(page: Page, name: string) {
  return page.getByRole('button', { name, exact: true });
}

/** Waits until the current run, if any, has ended. */
export async function ended(page: Page): Promise<void> {
  await button(page, 'Cancel').waitFor({ state: 'detached' });
}

/** Makes the runs of a page take minutes, so that what it shows during a run stays. The form has no such number of steps. */
export async function slowDown(page: Page): Promise<void> {
  await page.route('**/v1/images/generations', (route) => {
    const body = { ...route.request().postDataJSON(), decoder: { steps: 1000 } };
    return route.continue({ postData: JSON.stringify(body) });
  });
}

/** Ends the run of a slow page. The next one has its own number of steps. */
export async function cancelSlow(page: Page): Promise<void> {
  await button(page, 'Cancel').click();
  await ended(page);
  await page.unrouteAll();
}

/** The finished images on the page. */
export function images(page: Page) {
  return page.getByRole('button', { name: /^Open image/ });
}

/** Chooses an action from the menu of an image. */
export async function choose(page: Page, action: string, image = page.locator('.tile').first()) {
  await image.getByRole('button', { name: /^More/ }).click();
  await page.getByRole('menuitem', { name: action }).click();
}

/** The path of the page with quick settings: one image of few steps. */
export function quick(prompt: string, more: Record<string, string | number> = {}): string {
  const few = { n: 1, 'prior.steps': 2, 'decoder.steps': 4, 'upsample.steps': 1 };
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries({ prompt, ...few, ...more })) {
    params.set(name, String(value));
  }
  return `/#${params}`;
}

/** The violations that axe finds, after animations have ended: while it fades in, text has less contrast. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(`Promise.all(document.getAnimations()
    .filter(({ effect }) => Number.isFinite(effect.getComputedTiming().endTime))
    .map(({ finished }) => finished.catch(() => {})))`);
  // The page's content security policy forbids injected scripts, but not the debugger's.
  await page.evaluate(axe);
  return page.evaluate(`axe.run().then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html.slice(0, 200))))`);
}

/** Drops a file on an element of the page. */
export async function drop(page: Page, file: string, onto: string): Promise<void> {
  const box = await page.locator(onto).boundingBox();
  const client = await page.context().newCDPSession(page);
  const { x, y, width, height } = box ?? { x: 0, y: 0, width: 0, height: 0 };
  const at = { x: x + width / 2, y: y + height / 2 };
  const data = { items: [], files: [file], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await client.send('Input.dispatchDragEvent', { type, ...at, data });
  }
}

/** Presses a button, and returns the file that it downloads. */
export async function downloaded(page: Page, name = 'Download') {
  const waiting = page.waitForEvent('download');
  await button(page, name).first().click();
  const download = await waiting;
  const path = await download.path();
  return { name: download.suggestedFilename(), path, bytes: readFileSync(path) };
}
