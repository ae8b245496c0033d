import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { KarloImage } from '../../lib/images/karlo-image.js';
import type { Recipe } from '../../lib/images/recipe.js';
import { runProgram } from '../support/run-program.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
/** A window title, a clipboard, a C1 control and a reversal of direction. */
const hostile = '\x1b]0;owned\x07\x1b]52;c;ZXZpbA==\x07\x9b2J\u202egnp.exe';
const shown = '\\x1b]0;owned\\x07\\x1b]52;c;ZXZpbA==\\x07\\x9b2J\\u202egnp.exe';
/** Everything that a terminal would not show as it is, except for line breaks. */
const controls = /[^\P{C}\n]/u;

const recipe: Recipe = {
  format: 1,
  kind: 'textToImage',
  prompt: `a ring\nmodel  trusted ${hostile}`,
  seed: 1,
  sampling: 'fast',
  prior: { steps: 25, guidanceScale: 4 },
  decoder: { steps: 25, guidanceScale: 4 },
  upsample: { steps: 7, guidanceScale: 1 },
  batchSize: 1,
  dtype: 'float32',
  device: 'cpu',
  model: { name: hostile, sha256: '0a'.repeat(32) },
  versions: { karlo: hostile, libtorch: '2.11.0' },
};

const image = join(folder, 'evil.png');
const pixels = { width: 1, height: 1, data: new Uint8Array(3) };
await new KarloImage(pixels, 1, recipe).toFile(image);

/** Runs the command, and checks that it printed nothing that controls a terminal. */
async function karlo(...args: string[]) {
  const result = await runProgram('dist/lib/cli/main.js', args);
  expect(result.stdout + result.stderr).not.toMatch(controls);
  return result;
}

describe('controls are shown instead of being printed', () => {
  test('in a recipe, whose texts stay on their lines', async () => {
    const { status, stdout } = await karlo('info', image);
    expect(status).toBe(0);
    expect(stdout).toContain(`a ring\\nmodel  trusted ${shown}`);
    expect(stdout).toMatch(/^model {2,}\\x1b\]0;owned/m);
    expect(stdout.match(/^model/gm)).toHaveLength(1);
  });

  test('in the recipe of --from', async () => {
    const { status, stderr } = await karlo('generate', '--from', image, '-o', folder);
    expect(status).toBe(1);
    expect(stderr).toContain(`The recipe's model '${shown}' is not in the store`);
  });

  test.each<[string, string[], number, string]>([
    ['a missing file', ['info', `${hostile}.png`], 1, shown],
    ['a model', ['a ring', '--model', `./${hostile}`], 1, shown],
    ['several paths', ['info', image, `${hostile}.png`], 1, shown],
    ['an unknown option', ['a ring', `--${hostile}`], 2, `unknown option '--${shown}'`],
    ['an invalid choice', ['a ring', '--format', hostile], 2, shown],
    ['an excess argument', ['a ring', hostile], 2, shown],
    ['an option out of range', ['a ring', '--seed', hostile], 2, shown],
    ['a model to remove', ['models', 'rm', hostile], 1, shown.slice(0, 9)],
  ])('in %s', async (_, args, status, text) => {
    const result = await karlo(...args);
    expect(result.status).toBe(status);
    expect(result.stderr).toContain(text);
  });

  test('in the name of a file, whose bytes are not changed', async () => {
    const file = join(folder, 'a\x1b[2Jring.png');
    const short = ['--prior-steps', '1', '--decoder-steps', '1', '--upsample-steps', '1'];
    const { stdout, stderr } = await karlo('a ring', '-o', file, ...short);
    expect(stdout).toBe(`${join(folder, 'a\\x1b[2Jring.png')}\n`);
    expect(stderr).toContain('a\\x1b[2Jring.png');
    expect(readdirSync(folder)).toContain('a\x1b[2Jring.png');
    expect(readFileSync(file).subarray(0, 4).toString('latin1')).toBe('\x89PNG');
  });
});

describe('--json escapes controls, and keeps their values', () => {
  test('in a recipe', async () => {
    const { stdout } = await karlo('info', image, '--json');
    expect(stdout).toContain('\\u009b2J\\u202egnp.exe');
    expect(JSON.parse(stdout)).toMatchObject({ prompt: recipe.prompt, model: { name: hostile } });
  });

  test('in an error', async () => {
    const { stdout } = await karlo('info', `${hostile}.png`, '--json');
    expect(JSON.parse(stdout).error.message).toContain(hostile);
  });
});
