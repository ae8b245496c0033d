// The commands for points in CLIP space, editing and upscaling.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { readRecipe } from '../../lib/images/read-recipe.js';
import { runProgram } from '../support/run-program.js';
import { temporaryFolder } from '../support/temporary-folder.js';

// Each test starts several processes.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const karlo = (...args: string[]) => runProgram('dist/lib/cli/main.js', args);
const upsample = ['--upsample-steps', '2'];
const decode = ['--decoder-steps', '2', ...upsample];
const short = ['--prior-steps', '2', ...decode];
const heart = 'test/fixtures/pictures/heart-0.png';
const star = 'test/fixtures/pictures/star-0.png';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);

/** Runs a command that writes one image, and checks that it does. */
async function writes(name: string, ...args: string[]): Promise<string> {
  const file = at(name);
  expect(await karlo(...args, '-o', file)).toMatchObject({ status: 0, stdout: `${file}\n` });
  expect(await sharp(file).metadata()).toMatchObject({ width: 128, height: 128 });
  return file;
}

/** The lines of a command's output. */
async function linesOf(...args: string[]): Promise<string[]> {
  const { status, stdout, stderr } = await karlo(...args);
  expect({ status, stderr }).toMatchObject({ status: 0, stderr: expect.stringMatching(/^Wrote/) });
  return stdout.trimEnd().split('\n');
}

describe('karlo mix', () => {
  test('takes images and prompts with weights, which its recipe repeats', async () => {
    const parts = [`${heart}:0.6`, 'a blue star:0.4'];
    const first = await writes('mix.png', 'mix', ...parts, '--seed', '5', '-n', '1', ...short);
    expect(await readRecipe(first)).toMatchObject({
      kind: 'mix',
      parts: [{ weight: 0.6 }, { prompt: 'a blue star', seed: 5, weight: 0.4 }],
    });
    const replay = ['mix', heart, 'a blue star', '--from', first];
    expect(readFileSync(await writes('again.png', ...replay))).toEqual(readFileSync(first));
    const other = ['mix', star, 'a blue star', '--from', first, '-o', at('other.png')];
    expect((await karlo(...other)).stderr).toMatch(/made from another input image/);
  });

  test('repeats the second of several images, whose prompt has the seed of the first', async () => {
    const out = at('mixes');
    const args = ['mix', 'a ring', 'a star:2', '-n', '2', '--seed', '5', '-o', out, ...short];
    const files = [5, 6].map((seed) => join(out, `a-ring-a-star-mix-${seed}.png`));
    expect(await linesOf(...args)).toEqual(files);
    const replay = ['mix', 'a ring', 'a star', '--from', files[1] as string];
    const again = await writes('second.png', ...replay);
    expect(readFileSync(again)).toEqual(readFileSync(files[1] as string));
  });

  test('writes drafts', async () => {
    const args = ['mix', 'a ring:1', 'a star:-0.1', '--seed', '5', ...short];
    const draft = await karlo(...args, '--draft', '-o', folder);
    expect(draft.stdout).toBe(`${at('a-ring-a-star-mix-5.draft.png')}\n`);
    const finished = await writes('finished.png', 'finish', draft.stdout.trimEnd());
    expect(readFileSync(finished)).toEqual(readFileSync(await writes('whole.png', ...args)));
  });
});

describe('karlo interpolate', () => {
  const ends = ['interpolate', 'a red heart', star, '--seed', '3', ...short];

  test('writes numbered frames, which the recipe of one repeats', async () => {
    const args = ['--frames', '10', '--noise', 'slerp', '--batch-size', '5', '-o', at('frames')];
    const files = await linesOf(...ends, ...args);
    expect(files).toHaveLength(10);
    expect(files[0]).toBe(join(at('frames'), 'a-red-heart-to-star-0-01.png'));
    expect(readdirSync(at('frames'))).toHaveLength(10);
    const replay = ['interpolate', 'a red heart', star, '--from', files[4] as string];
    const again = await linesOf(...replay, '--frames', '10', '-o', at('frames-again'));
    for (const [i, file] of again.entries()) {
      expect(readFileSync(file)).toEqual(readFileSync(files[i] as string));
    }
  });

  test.each([
    ['webp', [143, 143, 143, 142]],
    ['gif', [140, 150, 140, 140]],
  ])('writes an animated %s', async (format, delay) => {
    const file = at(`morph.${format}`);
    const args = [...ends, '--frames', '4', '--fps', '7', '--animate', file];
    const { stdout } = await karlo(...args, '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ animation: file, frames: 4, fps: 7, seed: 3, warnings: [], device: 'cpu' },
    });
    const metadata = await sharp(file, { animated: true }).metadata();
    const size = { width: 128, pageHeight: 128 };
    expect(metadata).toMatchObject({ format, pages: 4, ...size, loop: 0, delay });
    const again = await karlo(...args);
    expect(again).toMatchObject({ status: 1, stdout: '' });
    expect(again.stderr).toContain('already exists: pass --force to overwrite it');
  });
});

describe('karlo edit', () => {
  const texts = ['--from', 'a red heart', '--to', 'a blue heart'];

  test('edits an image, and repeats its recipe with --recipe-from', async () => {
    const first = await writes('edit.png', 'edit', heart, ...texts, '--seed', '1', ...decode);
    expect(await readRecipe(first)).toMatchObject({ from: 'a red heart', to: 'a blue heart' });
    const again = await writes('edit-again.png', 'edit', heart, '--recipe-from', first);
    expect(readFileSync(again)).toEqual(readFileSync(first));
  });

  test('draws the noise with --new-noise', async () => {
    const args = ['--new-noise', '--strength', '0.3', '--seed', '1', ...decode, '-o', folder];
    const [file] = await linesOf('edit', heart, ...texts, ...args);
    expect(file).toBe(at('heart-0-edit-1.png'));
    expect(await readRecipe(file as string)).toMatchObject({ noise: false, strength: 0.3 });
  });
});

describe('karlo invert and karlo reconstruct', () => {
  const inversion = at('heart-0.inversion.json');
  beforeAll(async () => {
    const result = await karlo('invert', heart, '--steps', '3', '-o', folder);
    expect(result).toEqual({ status: 0, signal: null, stdout: `${inversion}\n`, stderr: '' });
  });

  test('write an inversion, and the image that it leads to', async () => {
    expect(JSON.parse(readFileSync(inversion, 'utf8'))).toMatchObject({ format: 1, steps: 3 });
    const args = ['reconstruct', inversion, '--seed', '1', ...upsample, '-o', folder];
    expect(await linesOf(...args)).toEqual([at('heart-0-reconstruction-1.png')]);
  });

  test('describe the inversion as JSON', async () => {
    const file = at('named.json');
    const { stdout } = await karlo('invert', heart, '--steps', '2', '-o', file, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ inversion: file, of: heart, steps: 2 });
    const again = await karlo('invert', heart, '--steps', '2', '-o', file);
    expect(again).toMatchObject({ status: 1, stdout: '' });
  });

  test('repeat a recipe, with its eta and guidance', async () => {
    const varied = ['--eta', '0.5', '--guidance', '3', '--prompt', 'a blue heart', '--seed', '1'];
    const first = await writes('varied.png', 'reconstruct', inversion, ...varied, ...upsample);
    const again = await writes('varied-again.png', 'reconstruct', inversion, '--from', first);
    expect(readFileSync(again)).toEqual(readFileSync(first));
  });

  test('name the flags of invalid options', async () => {
    const wrong = await karlo('reconstruct', inversion, '--guidance', '31');
    expect(wrong).toMatchObject({ status: 2, stdout: '' });
    expect(wrong.stderr).toMatch(/between 0 and 30 for --guidance but/);
  });

  test('are the ends of an interpolation', async () => {
    const other = at('star.json');
    await karlo('invert', star, '--steps', '3', '-o', other);
    const args = ['--frames', '2', '--seed', '1', ...upsample, '-o', at('inverted')];
    const files = await linesOf('interpolate', inversion, other, ...args);
    const end = await writes('end.png', 'reconstruct', inversion, '--seed', '1', ...upsample);
    const pixelsOf = (file: string) => sharp(file).raw().toBuffer();
    expect(await pixelsOf(files[0] as string)).toEqual(await pixelsOf(end));
  });
});

test('karlo img2img starts from an image, and takes the prompt from a recipe', async () => {
  const args = ['img2img', heart, 'a blue star', '--strength', '0.6', '--seed', '1', ...short];
  const [first = ''] = await linesOf(...args, '-o', folder);
  expect(first).toBe(at('heart-0-img2img-1.png'));
  const again = await writes('img2img-again.png', 'img2img', heart, '--from', first);
  expect(readFileSync(again)).toEqual(readFileSync(first));
});

test('karlo inpaint repaints the white part of a mask, and compares both inputs', async () => {
  const mask = at('mask.png');
  const white = { create: { width: 64, height: 128, channels: 3, background: 'white' } } as const;
  const create = { width: 128, height: 128, channels: 3, background: 'black' } as const;
  await sharp({ create })
    .composite([{ input: white, left: 0, top: 0 }])
    .toFile(mask);
  const args = ['inpaint', heart, '--mask', mask];
  const [first = ''] = await linesOf(...args, 'a star', '--seed', '1', '-o', folder, ...short);
  expect(first).toBe(at('heart-0-inpaint-1.png'));
  const kept = { left: 96, top: 0, width: 32, height: 128 };
  const rightOf = (file: string) => sharp(file).removeAlpha().extract(kept).raw().toBuffer();
  expect(await rightOf(first)).toEqual(await rightOf(heart));
  const again = await writes('inpaint-again.png', ...args, '--from', first);
  expect(readFileSync(again)).toEqual(readFileSync(first));
  const other = at('other-mask.png');
  await sharp(mask).flop().toFile(other);
  const replaced = ['inpaint', heart, '--mask', other, '--from', first, '-o', at('replaced.png')];
  expect((await karlo(...replaced)).stderr).toMatch(/made from another input image/);
});

test('karlo upscale enlarges several images', async () => {
  const files = await linesOf('upscale', heart, star, '--seed', '1', '-o', folder, ...upsample);
  expect(files).toEqual([at('heart-0-upscaled-1.png'), at('star-0-upscaled-1.png')]);
});

test('negative prompts and the prompt of a variation are recorded', async () => {
  const negative = ['--negative-prompt', 'a blue star'];
  const made = await writes('negative.png', 'a red heart', ...negative, ...short);
  expect(await readRecipe(made)).toMatchObject({ negativePrompt: 'a blue star' });
  const prompt = ['--prompt', 'a ring'];
  const varied = await writes('vary.png', 'vary', heart, ...negative, ...prompt, ...decode);
  const recorded = { negativePrompt: 'a blue star', prompt: 'a ring' };
  expect(await readRecipe(varied)).toMatchObject(recorded);
  const plain = await writes('plain.png', 'vary', heart, '--from', varied, '--prompt', 'a star');
  expect(await readRecipe(plain)).toMatchObject({ ...recorded, prompt: 'a star' });
});

test.each<[string, string[], number, RegExp]>([
  [
    'a weight that is not a number',
    ['mix', `${heart}:x`],
    2,
    /Expected a number after the colon of .*:x' but received 'x'/,
  ],
  ['weights without a mean', ['mix', 'a:1', 'a ring:1', 'a star:-3'], 2, /a sum above 0/],
  ['too many parts', ['mix', ...Array(17).fill('a ring')], 2, /1 to 16 parts/],
  ['no part', ['mix'], 2, /missing required argument 'part'/],
  ['an image that does not exist', ['mix', 'nowhere.jpg:2'], 1, /'nowhere\.jpg' does not exist/],
  [
    'an animation of an unknown format',
    ['interpolate', 'a', 'b', '--animate', 'x.mp4'],
    2,
    /ends in \.webp or \.gif/,
  ],
  [
    'an animation and frames',
    ['interpolate', 'a', 'b', '--animate', 'x.gif', '-o', 'out/'],
    2,
    /'--animate <file>' cannot be used with option '-o, --output <path>'/,
  ],
  ['no frame rate', ['interpolate', 'a', 'b', '--fps', '0'], 2, /Expected a number, 0\.1 to 50/],
  [
    'one file for all frames',
    ['interpolate', 'a', 'b', '-o', 'x.png'],
    2,
    /Expected a folder for --output with 16 images/,
  ],
  ['an edit without a target', ['edit', heart, '--from', 'a heart'], 2, /for --to but/],
  [
    'a sampler that does not lead back',
    ['edit', heart, '--from', 'a', '--to', 'b', '--decoder-sampler', 'ddpm'],
    2,
    /'ddim'.* for --decoder-sampler but received 'ddpm'/,
  ],
  ['no mask', ['inpaint', heart, 'a star'], 2, /required option '--mask <image>'/],
  [
    'a mask that does not exist',
    ['inpaint', heart, 'a star', '--mask', '/nowhere.png'],
    1,
    /'\/nowhere\.png': the file does not exist/,
  ],
  ['no prompt', ['img2img', heart], 2, /missing required argument 'prompt'/],
  [
    'a strength out of range',
    ['img2img', heart, 'a', '--strength', '2'],
    2,
    /0 and 1 for --strength/,
  ],
  ['an inversion as an image', ['invert', heart, '-o', 'x.png'], 2, /ends in \.json/],
  ['an inversion on stdout', ['invert', heart, '-o', '-'], 2, /but received '-'/],
  ['an image in place of an inversion', ['reconstruct', heart], 1, /it is not JSON/],
  ['a draft that a command cannot write', ['upscale', heart, '--draft'], 2, /--draft/],
])('%s is an error', async (_name, args, status, message) => {
  const result = await karlo(...args);
  expect(result.stderr).toMatch(message);
  expect(result).toMatchObject({ status, stdout: '' });
});
