// Runs every program in examples/ with the built-in model.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, expect, test } from 'vitest';
import { temporaryFolder } from './support/temporary-folder.js';

const examples = fileURLToPath(new URL('../examples', import.meta.url));
const folder = temporaryFolder();
const ran = new Set<string>();

/** Runs an example in a temporary folder. Returns the lines of its output. */
async function run(name: string, ...args: string[]): Promise<string[]> {
  const child = start(name, ...args);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const [status] = await once(child, 'close');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout.trimEnd().split('\n');
}

function start(name: string, ...args: string[]) {
  ran.add(name);
  return spawn(process.execPath, [join(examples, name), ...args], { cwd: folder });
}

async function sizeOf(file: string) {
  const { width, height } = await sharp(join(folder, file)).metadata();
  return [width, height];
}

test('text-to-image.mjs writes an image', async () => {
  await run('text-to-image.mjs', 'a blue star', 'star.png');
  expect(await sizeOf('star.png')).toEqual([128, 128]);
});

test('variation.mjs writes four variations', async () => {
  const heart = new URL('fixtures/pictures/heart-0.png', import.meta.url);
  copyFileSync(heart, join(folder, 'heart.png'));
  await run('variation.mjs', 'heart.png');
  for (const seed of [1, 2, 3, 4])
    expect(await sizeOf(`variation-${seed}.png`)).toEqual([128, 128]);
});

test('previews.mjs writes previews and an image', async () => {
  const lines = await run('previews.mjs');
  expect(lines.at(-1)).toBe('upsample 7/7');
  expect(await sizeOf('preview-upsample-7.png')).toEqual([128, 128]);
  expect(await sizeOf('ring.png')).toEqual([128, 128]);
});

test('abort.mjs aborts a run', async () => {
  expect(await run('abort.mjs')).toEqual(['aborted: TimeoutError']);
});

test('raw-pixels.mjs reads and passes raw pixels', async () => {
  const [line] = await run('raw-pixels.mjs');
  expect(line).toMatch(/^128 x 128, mean colour rgb\(\d+,\d+,\d+\)$/);
  expect(await sizeOf('of-red.png')).toEqual([128, 128]);
});

test('tensors.mjs computes with tensors', async () => {
  const lines = await run('tensors.mjs');
  expect(lines[0]).toMatch(/^LibTorch 2\.11\.0 on cpu/);
  expect(lines[1]).toMatch(/\[ 1, 3, 4, 4 \] uint8/);
  expect(lines.join('')).toContain('1, 4, 2, 5, 3, 6');
});

test('several.mjs writes a grid of several prompts and seeds', async () => {
  expect(await run('several.mjs')).toEqual(['several.png: 6 images']);
  expect(await sizeOf('several.png')).toEqual([2 * 128 + 4, 3 * 128 + 2 * 4]);
});

test('mix.mjs writes images with several weights', async () => {
  await run('mix.mjs');
  for (const weight of [0.25, 0.5, 0.75]) {
    expect(await sizeOf(`mix-${weight}.png`)).toEqual([128, 128]);
  }
});

test('interpolate.mjs writes an animation', async () => {
  expect(await run('interpolate.mjs')).toEqual(['interpolation.webp: 8 frames']);
  const metadata = await sharp(join(folder, 'interpolation.webp'), { pages: -1 }).metadata();
  expect(metadata).toMatchObject({ width: 128, pageHeight: 128, pages: 8 });
});

test('invert.mjs writes an inversion and its images', async () => {
  await run('invert.mjs');
  const json = readFileSync(join(folder, 'heart.inversion.json'), 'utf8');
  expect(JSON.parse(json)).toMatchObject({ format: 1, steps: 25 });
  expect(await sizeOf('reconstruction.png')).toEqual([128, 128]);
  expect(await sizeOf('reconstruction-varied.png')).toEqual([128, 128]);
});

test.each([
  ['edit.mjs', ['edit-0.25.png', 'edit-0.5.png']],
  ['image-to-image.mjs', ['image-to-image-0.4.png', 'image-to-image-0.8.png']],
  ['inpaint.mjs', ['inpainted.png']],
  ['upscale.mjs', ['upscaled.png']],
])('%s writes its images', async (name, files) => {
  await run(name);
  for (const file of files) expect(await sizeOf(file)).toEqual([128, 128]);
});

test('ai-sdk.mjs writes an image and a variation', async () => {
  await run('ai-sdk.mjs');
  for (const file of ['ai-sdk.png', 'ai-sdk-variation.png']) {
    expect(await sizeOf(file)).toEqual([128, 128]);
  }
});

test('http-server.mjs streams previews and the image', async () => {
  const server = start('http-server.mjs', '0');
  afterAll(() => server.kill('SIGKILL'));
  const [url] = (await once(createInterface(server.stdout), 'line')) as [string];
  expect(await fetchBytes(url)).toMatchObject({ type: 'text/html' });
  const { type, bytes } = await fetchBytes(`${url}/image?prompt=a+red+ring`);
  expect(type).toBe('multipart/x-mixed-replace; boundary=image');
  const parts = bytes.toString('latin1').split('--image\r\n').slice(1);
  expect(parts.length).toBeGreaterThan(2);
  const last = parts.at(-1) as string;
  const png = Buffer.from(last.slice(last.indexOf('\r\n\r\n') + 4), 'latin1');
  expect(await sharp(png).metadata()).toMatchObject({ format: 'png', width: 128, height: 128 });
  server.kill('SIGTERM');
  expect(await once(server, 'close')).toEqual([0, null]);
});

async function fetchBytes(url: string) {
  const [response] = await once(get(url), 'response');
  const chunks: Buffer[] = await response.toArray();
  return { type: response.headers['content-type'], bytes: Buffer.concat(chunks) };
}

test('every example was run, and the README lists it', () => {
  const programs = readdirSync(examples).filter((name) => name.endsWith('.mjs'));
  expect([...ran].sort()).toEqual(programs.sort());
  const table = readFileSync(join(examples, 'README.md'), 'utf8');
  for (const name of programs) expect(table).toContain(`node ${name}`);
});
