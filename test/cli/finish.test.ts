import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { readRecipe } from '../../lib/images/read-recipe.js';
import { runProgram } from '../support/run-program.js';
import { temporaryFolder } from '../support/temporary-folder.js';

// Each test starts several processes.
vi.setConfig({ testTimeout: 300_000 });

const karlo = (...args: string[]) => runProgram('dist/lib/cli/main.js', args);
const vary = ['--decoder-steps', '3', '--upsample-steps', '2'];
const short = ['--prior-steps', '3', ...vary];
const heart = 'test/fixtures/pictures/heart-0.png';

test('drafts are finished to the images that they would have been', async () => {
  const out = temporaryFolder();
  const drafted = await karlo('a ring', '-n', '2', '--seed', '4', '--draft', '-o', out, ...short);
  const drafts = [4, 5].map((seed) => join(out, `a-ring-${seed}.draft.png`));
  expect(drafted).toMatchObject({ status: 0, stdout: `${drafts.join('\n')}\n` });
  const finished = await karlo('finish', ...drafts, '-o', out, '--grid', '--json');
  const files = [4, 5].map((seed) => join(out, `a-ring-${seed}.png`));
  expect(JSON.parse(finished.stdout)).toMatchObject({
    pictures: files.map((file, i) => ({ file, of: drafts[i], seed: 4 + i, skipped: false })),
    grid: join(out, 'a-ring-4-grid.png'),
    warnings: [],
  });
  const direct = join(out, 'direct.png');
  await karlo('a ring', '--seed', '5', '-o', direct, ...short);
  expect(readFileSync(files[1] as string)).toEqual(readFileSync(direct));
});

test('a draft of a variation, with a separate name', async () => {
  const out = temporaryFolder();
  const draft = join(out, 'small.png');
  expect((await karlo('vary', heart, '--draft', '-o', draft, ...vary)).status).toBe(0);
  const { status, stdout } = await karlo('finish', draft, '-o', `${out}/`, '--format', 'webp');
  expect({ status, stdout }).toEqual({
    status: 0,
    stdout: `${join(out, 'small-finished.webp')}\n`,
  });
});

test('--candidates writes the best of several, whose seed repeats it', async () => {
  const out = temporaryFolder();
  const args = ['a ring', '--seed', '4', '--candidates', '3', '-o', out, '--json', ...short];
  const { pictures } = JSON.parse((await karlo(...args)).stdout);
  const [{ file, seed, selection }] = pictures;
  expect(file).toBe(join(out, 'a-ring-4.png'));
  expect(selection).toMatchObject({ seed: 4, scores: expect.any(Array) });
  expect(await readRecipe(file)).toMatchObject({ seed, selection });
  const again = join(out, 'again.png');
  await karlo('generate', '--from', file, '-o', again);
  const { selection: _, ...recipe } = (await readRecipe(file)) ?? { selection: undefined };
  expect(await readRecipe(again)).toEqual(recipe);
  const info = await karlo('info', file);
  expect(info.stdout).toMatch(/chosen +drafts: best of 3, score 0\.\d+ \(first seed 4\)/);
});

test.each<[string, string[], number, RegExp]>([
  [
    'an image that is not a draft',
    ['finish', heart],
    1,
    /Expected a draft in 'test\/fixtures\/pictures\/heart-0\.png'/,
  ],
  ['a file that does not exist', ['finish', '/nowhere.png'], 1, /the file does not exist/],
  ['no file', ['finish'], 2, /missing required argument 'draft'/],
  [
    'drafts as JPEG',
    ['a ring', '--draft', '--format', 'jpg'],
    2,
    /Expected png .* with --draft but received jpg/,
  ],
  [
    'drafts without a recipe',
    ['a ring', '--draft', '--no-recipe'],
    2,
    /either --draft or --no-recipe/,
  ],
  ['too many candidates', ['a ring', '--candidates', '65'], 2, /between 1 and 64 for --candidates/],
])('%s is an error', async (_name, args, status, message) => {
  const result = await karlo(...args);
  expect(result.stderr).toMatch(message);
  expect(result).toMatchObject({ status, stdout: '' });
});

test('one file name for several drafts is an error before the model is loaded', async () => {
  const out = temporaryFolder();
  await karlo('a ring', '-n', '2', '--seed', '4', '--draft', '-o', out, ...short);
  const drafts = [4, 5].map((seed) => join(out, `a-ring-${seed}.draft.png`));
  const result = await karlo('finish', ...drafts, '-o', join(out, 'one.png'));
  expect(result.stderr).toMatch(/Expected a folder for --output with 2 images/);
  expect(result.status).toBe(2);
});
