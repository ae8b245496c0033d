import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runProgram } from '../native/run-program.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'karlo-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const karlo = (...args: string[]) => runProgram('dist/lib/cli/main.js', args);
const short = ['--prior-steps', '3', '--decoder-steps', '3', '--upsample-steps', '2'];

test('a prompt alone makes a picture, named after it and its seed', async () => {
  const result = await karlo('a red heart', '--seed', '4', '-o', folder, ...short);
  const path = join(folder, 'a-red-heart-4.png');
  expect(result).toEqual({ status: 0, signal: null, stdout: `${path}\n`, stderr: '' });
  expect(await sharp(path).metadata()).toMatchObject({ format: 'png', width: 128, height: 128 });
  const again = await karlo('a red heart', '--seed', '4', '-o', folder, ...short);
  expect(again.status).toBe(1);
  expect(again.stderr).toContain('is there already: pass --force to overwrite it');
  expect(
    (await karlo('a red heart', '--seed', '4', '-o', folder, '--force', ...short)).status,
  ).toBe(0);
});

test('several pictures, as JSON', async () => {
  const out = join(folder, 'several');
  const { stdout } = await karlo('a ring', '-n', '2', '--seed', '1', '-o', out, '--json', ...short);
  const files = [join(out, 'a-ring-1.png'), join(out, 'a-ring-2.png')];
  expect(JSON.parse(stdout)).toMatchObject({
    name: 'a ring',
    seeds: [1, 2],
    files,
    warnings: [],
  });
  expect(readdirSync(out)).toHaveLength(2);
});

test('variations of a picture', async () => {
  const heart = 'test/fixtures/pictures/heart-0.png';
  const steps = ['--decoder-steps', '3', '--upsample-steps', '2'];
  const result = await karlo('vary', heart, '--seed', '2', '-o', folder, ...steps);
  expect(result).toMatchObject({ status: 0, stderr: '' });
  expect(result.stdout).toBe(`${join(folder, 'heart-0-variation-2.png')}\n`);
  const missing = await karlo('vary', '/nowhere.png', '-o', folder);
  expect(missing.status).toBe(1);
  expect(missing.stderr).toContain("'/nowhere.png' cannot be read");
});

test('one picture to a file of another format', async () => {
  const path = join(folder, 'ring.webp');
  expect((await karlo('a ring', '-o', path, ...short)).status).toBe(0);
  expect((await sharp(path).metadata()).format).toBe('webp');
});

test.each<[string, string[], number, RegExp]>([
  ['an option that does not exist', ['a ring', '--nope'], 2, /--nope/],
  ['no prompt', [], 2, /missing required argument 'prompt'/],
  ['a number that is none', ['a ring', '--seed', 'x'], 2, /--seed/],
  [
    'steps out of range',
    ['a ring', '--decoder-steps', '0'],
    1,
    /between 1 and 1000 for decoder\.steps/,
  ],
  ['a model that is not there', ['a ring', '--model', '/nowhere'], 1, /ERR_KARLO_MODEL_NOT_FOUND/],
])('%s', async (_name, args, status, message) => {
  const result = await karlo(...args);
  expect(result.status).toBe(status);
  expect(result.stderr).toMatch(message);
});
