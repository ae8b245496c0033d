import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { KarloImage } from '../../lib/images/karlo-image.js';
import { readRecipe } from '../../lib/images/read-recipe.js';
import type { Recipe } from '../../lib/images/recipe.js';
import { runProgram } from '../support/run-program.js';

// Each test starts several processes.
vi.setConfig({ testTimeout: 300_000 });

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'karlo-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const program = 'dist/lib/cli/main.js';
const karlo = (...args: string[]) => runProgram(program, args);
const vary = ['--decoder-steps', '3', '--upsample-steps', '2'];
const short = ['--prior-steps', '3', ...vary];
const heart = 'test/fixtures/pictures/heart-0.png';

/** The closing line alone. */
const wrote = expect.stringMatching(/^Wrote .*\n$/);

test('a prompt generates an image that is named after the prompt and the seed', async () => {
  const result = await karlo('a red heart', '--seed', '4', '-o', folder, ...short);
  const path = join(folder, 'a-red-heart-4.png');
  expect(result).toEqual({ status: 0, signal: null, stdout: `${path}\n`, stderr: wrote });
  expect(result.stderr).toContain(`Wrote ${path} (seed 4) in `);
  expect(await sharp(path).metadata()).toMatchObject({ format: 'png', width: 128, height: 128 });
  const again = await karlo('a red heart', '--seed', '4', '-o', folder, ...short);
  expect(again.status).toBe(1);
  expect(again.stderr).toContain('already exists: pass --force to overwrite it');
  expect(
    (await karlo('a red heart', '--seed', '4', '-o', folder, '--force', ...short)).status,
  ).toBe(0);
});

test('several images and a grid, as JSON', async () => {
  const out = join(folder, 'several');
  const flags = ['-n', '3', '--seed', '1', '--grid', '--format', 'webp', '--json'];
  const { stdout } = await karlo('a ring', ...flags, '-o', out, ...short);
  const report = JSON.parse(stdout);
  expect(report).toMatchObject({
    pictures: [1, 2, 3].map((seed) => ({
      file: join(out, `a-ring-${seed}.webp`),
      of: 'a ring',
      seed,
      skipped: false,
    })),
    grid: join(out, 'a-ring-1-grid.webp'),
    warnings: [],
    device: 'cpu',
  });
  expect(readdirSync(out)).toHaveLength(4);
  const size = 2 * 128 + 2;
  expect(await sharp(report.grid).metadata()).toMatchObject({ width: size, height: size });
});

test('a prompt that is too long gives a warning, as text and as JSON', async () => {
  const prompt = `${'very '.repeat(80)}red heart`;
  const flags = ['-o', join(folder, 'long.png'), '--force', ...short];
  const warning = /The prompt 'very .*…' is too long: '(very )+red heart' was left out/;
  const words = await karlo(prompt, ...flags);
  expect(words).toMatchObject({ status: 0, stdout: `${join(folder, 'long.png')}\n` });
  expect(words.stderr).toMatch(new RegExp(`^warning: ${warning.source}\nWrote .*\n$`));
  const { warnings } = JSON.parse((await karlo(prompt, '--json', ...flags)).stdout);
  expect(warnings).toEqual([expect.stringMatching(warning)]);
});

test('variations of images', async () => {
  const odd = 'test/fixtures/pictures/odd.png';
  const result = await karlo('vary', heart, odd, '--seed', '2', '-o', folder, ...vary);
  expect(result).toMatchObject({ status: 0, stderr: wrote });
  const files = ['heart-0', 'odd'].map((name) => join(folder, `${name}-variation-2.png`));
  expect(result.stdout).toBe(`${files.join('\n')}\n`);
});

test('many photos are not in memory together', async () => {
  const photo = join(folder, 'photo.jpg');
  const create = { width: 2500, height: 2500, channels: 3, background: 'red' } as const;
  await sharp({ create }).jpeg().toFile(photo);
  const atExit = 'process.on("exit", () => console.error(process.resourceUsage().maxRSS))';
  const node = ['--import', `data:text/javascript,${encodeURIComponent(atExit)}`];
  const args = ['vary', ...Array(24).fill(photo), '-o', join(folder, 'many'), ...vary];
  const { status, stdout, stderr } = await runProgram(program, args, { node });
  expect({ status, pictures: stdout.trim().split('\n').length }).toEqual({
    status: 0,
    pictures: 24,
  });
  // All of them together took 1.5 GB.
  expect(Number(stderr.trim().split('\n').at(-1)) * 1024).toBeLessThan(1e9);
});

describe('stdin and stdout', () => {
  const piped = (input: string, ...args: string[]) =>
    spawnSync(process.execPath, [program, ...args, ...short], { input, cwd: process.cwd() });

  test.each(['png', 'webp'] as const)(
    'a prompt comes from stdin, its image goes to stdout as %s',
    async (format) => {
      const result = piped('a ring\n', '-', '-o', '-', '--seed', '5', '--format', format);
      expect(result.status).toBe(0);
      expect(String(result.stderr)).toMatch(
        /^Wrote the image to stdout \(seed 5\) in \d+\.\d s\n$/,
      );
      const metadata = await sharp(result.stdout).metadata();
      expect(metadata).toMatchObject({ format, width: 128, height: 128 });
      const file = join(folder, `piped.${format}`);
      writeFileSync(file, result.stdout);
      expect(await readRecipe(file)).toMatchObject({ prompt: 'a ring', seed: 5 });
      expect(existsSync('-')).toBe(false);
    },
  );

  test('a variation goes to stdout', async () => {
    const args = [program, 'vary', heart, '-o', '-', ...vary];
    const { status, stdout } = spawnSync(process.execPath, args);
    expect(status).toBe(0);
    expect(await sharp(stdout).metadata()).toMatchObject({ format: 'png' });
  });

  test('an empty stdin is not a prompt', () => {
    const { status, stderr } = piped(' \n', '-', '-o', folder);
    expect(status).toBe(2);
    expect(String(stderr)).toContain('expected a prompt but received an empty one');
  });

  test('without a terminal, a word that resembles a command is a prompt', async () => {
    const result = await karlo('infos', '--seed', '1', '-o', folder, ...short);
    expect(result).toMatchObject({ status: 0, stdout: `${join(folder, 'infos-1.png')}\n` });
  });
});

test.each([
  ['png', 'PNG'],
  ['tiff', 'TIFF'],
])('--quality with a lossless format gives a warning: %s', async (format, label) => {
  const flags = ['--quality', '80', '--format', format, '-o', join(folder, 'lossless'), ...short];
  const { stdout, status } = await karlo('a ring', '--json', ...flags);
  expect(status).toBe(0);
  const warning = `--quality has no effect on ${label}, which is lossless`;
  expect(JSON.parse(stdout).warnings).toEqual([warning]);
});

describe('prompts from a file', () => {
  const prompts = '\uFEFFa red heart\r\n\n a blue star \na red heart\nA red heart!\n';

  test('are processed in order, and existing images are skipped in a second run', async () => {
    const out = join(folder, 'prompts');
    const file = join(folder, 'prompts.txt');
    writeFileSync(file, prompts);
    const first = await karlo('--prompts', file, '-o', out, ...short);
    const names = ['a-red-heart-0.png', 'a-blue-star-0.png', 'a-red-heart-2-0.png'];
    expect(first.stdout).toBe(names.map((name) => `${join(out, name)}\n`).join(''));
    const made = readFileSync(join(out, names[1] as string));
    rmSync(join(out, names[1] as string));
    const again = await karlo('--prompts', file, '-o', out, '--json', ...short);
    const { pictures } = JSON.parse(again.stdout);
    expect(pictures.map(({ skipped }: { skipped: boolean }) => skipped)).toEqual([
      true,
      false,
      true,
    ]);
    expect(readFileSync(join(out, names[1] as string))).toEqual(made);
  });

  test('have a grid, which is skipped like them and never overwritten', async () => {
    const [out, file] = [join(folder, 'grid'), join(folder, 'grid.txt')];
    const made = () => karlo('--prompts', file, '--grid', '-o', out, ...short);
    writeFileSync(file, 'a ring\na heart');
    const grid = join(out, 'a-ring-0-grid.png');
    expect((await made()).stdout).toMatch(new RegExp(`\n${grid}\n$`));
    const again = await made();
    expect(again).toMatchObject({ status: 0, stderr: 'Wrote nothing: 2 images exist already\n' });
    expect(again.stdout).toMatch(new RegExp(`\n${grid} \\(skipped: already exists\\)\n$`));
    writeFileSync(file, 'a ring\na heart\na star');
    const more = await made();
    expect(more).toMatchObject({ status: 1, stdout: '' });
    expect(more.stderr).toContain(`${grid} already exists`);
  });

  test('can come from stdin', () => {
    const args = [program, '--prompts', '-', '-o', join(folder, 'stdin'), '-n', '2', ...short];
    const { stdout, status } = spawnSync(process.execPath, args, {
      input: 'a ring',
      encoding: 'utf8',
    });
    expect(status).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(2);
  });
});

describe('recipes', () => {
  test('repeat the image that they are stored in', async () => {
    const [first, second] = [join(folder, 'first.jpg'), join(folder, 'second.png')];
    const flags = ['--seed', '9', '--decoder-guidance', '5', '--decoder-timestep-respacing', '4'];
    await karlo('a red heart & <a ring>', ...flags, '--prior-steps', '3', '-o', first);
    const { stdout } = await karlo('info', first, '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      prompt: 'a red heart & <a ring>',
      seed: 9,
      decoder: { timestepRespacing: '4', guidanceScale: 5 },
      model: { name: 'karlo-tiny' },
    });
    expect((await karlo('info', first)).stdout).toMatch(/decoder +steps 4, guidance scale 5/);
    const again = await karlo('generate', '--from', first, '-o', second);
    expect(again).toMatchObject({ status: 0, stderr: wrote });
    const [a, b] = await Promise.all(
      [first, second].map((file) => sharp(file).removeAlpha().raw().toBuffer()),
    );
    const difference = (a as Buffer).reduce((sum, v, i) => sum + Math.abs(v - (b?.[i] ?? 0)), 0);
    expect(difference / (a as Buffer).length).toBeLessThan(2);
    const third = join(folder, 'third.png');
    await karlo('generate', '--from', second, '-o', third);
    expect(readFileSync(third)).toEqual(readFileSync(second));
  });

  test('are overridden by flags and prompts', async () => {
    const [first, second] = [join(folder, 'a.png'), join(folder, 'b.png')];
    await karlo('a red heart', '--seed', '9', '-o', first, ...short);
    const flags = ['--seed', '3', '--decoder-timestep-respacing', '2'];
    await karlo('a ring', '--from', first, ...flags, '-o', second);
    const { stdout } = await karlo('info', second, '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ prompt: 'a ring', seed: 3, prior: { steps: 3 } },
      decoder: { timestepRespacing: '2', guidanceScale: 8 },
    });
  });

  test('keep their sampler, unless a flag sets another or a preset', async () => {
    const [first, second, third] = ['p.png', 'q.png', 'r.png'].map((name) => join(folder, name));
    const sampler = ['--decoder-sampler', 'ddim', '--decoder-eta', '0.5'];
    const interval = ['--decoder-guidance-interval', '0,0.5'];
    const recorded = async (file: string) =>
      JSON.parse((await karlo('info', file, '--json')).stdout);
    await karlo('a red heart', ...short, ...sampler, ...interval, '-o', first as string);
    const decoder = { steps: 3, guidanceScale: 8, sampler: 'ddim', eta: 0.5 };
    expect(await recorded(first as string)).toMatchObject({
      decoder: { ...decoder, guidanceInterval: [0, 0.5] },
    });
    expect((await karlo('info', first as string)).stdout).toMatch(
      /decoder +3 steps, guidance scale 8, sampler ddim, eta 0.5, guidance interval 0 to 0.5/,
    );
    const from = ['--from', first as string];
    await karlo('generate', ...from, '--decoder-sampler', 'dpm++', '-o', second as string);
    expect((await recorded(second as string)).decoder).toEqual({
      ...{ steps: 3, guidanceScale: 8, sampler: 'dpm++', guidanceInterval: [0, 0.5] },
    });
    const preset = ['--sampling', 'fast', '--decoder-steps', '2', '--prior-steps', '2'];
    await karlo('generate', ...from, ...preset, '-o', third as string);
    expect((await recorded(third as string)).decoder).toEqual({ steps: 2, guidanceScale: 8 });
  });

  test('of variations require the input image', async () => {
    const [first, second] = [join(folder, 'v.png'), join(folder, 'w.png')];
    await karlo('vary', heart, '--seed', '3', '-o', first, ...vary);
    await karlo('vary', heart, '--from', first, '-o', second);
    expect(readFileSync(second)).toEqual(readFileSync(first));
    const wrong = await karlo('generate', '--from', first, '-o', join(folder, 'x.png'));
    expect(wrong).toMatchObject({ status: 1 });
    expect(wrong.stderr).toContain(`karlo vary IMAGE --from ${first}`);
  });

  test('name a model that must be built in or pulled', async () => {
    const file = join(folder, 'other.png');
    const recipe = await readRecipe(join(folder, 'first.jpg'));
    const write = (name: string) => {
      const of = { ...recipe, model: { name, sha256: '0a'.repeat(32) } } as Recipe;
      const pixels = { width: 1, height: 1, data: new Uint8Array(3) };
      return new KarloImage(pixels, 9, of).toFile(file, { force: true });
    };
    const from = () => karlo('generate', '--from', file, '-o', join(folder, 'never.png'));
    await write('someone/karlo');
    const missing = await from();
    expect(missing.stderr).toMatch(
      /ERR_KARLO_MODEL_NOT_FOUND: .*npx karlo pull someone\/karlo, or choose a model with --model/,
    );
    expect(missing.status).toBe(1);
    // A folder may contain programs, and an image may come from anyone.
    await write('models/karlo-tiny');
    expect((await from()).stderr).toMatch(/ERR_KARLO_MODEL_NOT_FOUND/);
    const named = ['--model', 'karlo-tiny', '-o', join(folder, 'named.png'), ...short];
    const other = await karlo('generate', '--from', file, ...named);
    expect(other).toMatchObject({
      status: 0,
      stderr: expect.stringMatching(/made with other weights/),
    });
  });

  test('are not stored with --no-recipe', async () => {
    const file = join(folder, 'bare.png');
    const marked = join(folder, 'marked.png');
    await karlo('a ring', '--no-recipe', '-o', marked, ...short);
    const { stdout } = await karlo('info', marked);
    expect(stdout).toMatch(/^digital source type +\S+\/trainedAlgorithmicMedia\n/);
    await karlo('a ring', '--no-recipe', '--no-marking', '-o', file, ...short);
    expect((await sharp(file).metadata()).xmp).toBeUndefined();
    const info = await karlo('info', file);
    expect(info).toMatchObject({ status: 1 });
    expect(info.stderr).toContain('has none');
  });
});

describe('usage errors and failures', () => {
  test.each<[string, string[], number, RegExp]>([
    ['an option that does not exist', ['a ring', '--nope'], 2, /--nope/],
    ['no prompt', [], 2, /missing required argument 'prompt'/],
    ['a seed that is not a number', ['a ring', '--seed', 'x'], 2, /--seed/],
    [
      'steps out of range',
      ['a ring', '--decoder-steps', '0'],
      2,
      /between 1 and 1000 for --decoder-steps/,
    ],
    ['a guidance scale', ['a ring', '--prior-guidance', '31'], 2, /30 for --prior-guidance/],
    [
      'steps in both spellings',
      ['a ring', '--prior-steps', '3', '--prior-timestep-respacing', '3'],
      2,
      /both/,
    ],
    ['a prompt and --prompts', ['a ring', '--prompts', '-'], 2, /not both/],
    [
      'a prompt that begins with a dash',
      ['-1 degree'],
      2,
      /Put -- before a prompt that begins with -/,
    ],
    ['equal seeds', ['a ring', '--seed', '5,5'], 2, /different seeds for --seed.* received 5,5/],
    [
      'an output file that is not an image',
      ['a ring', '-o', 'README.md', '--force'],
      2,
      /ends in \.png/,
    ],
    [
      'a memory budget that is too small',
      ['a ring', '--memory-budget', '1MB'],
      2,
      /bytes for --memory-budget/,
    ],
    [
      'a batch above the memory budget',
      ['a ring', '--memory-budget', '300MB', '--batch-size', '1000'],
      2,
      /between 1 and \d+ for --batch-size but/,
    ],
    [
      'info about a file that does not exist',
      ['info', 'nowhere.png'],
      1,
      /'nowhere\.png': the file does not exist/,
    ],
    [
      'a file of prompts that does not exist',
      ['--prompts', '/nowhere'],
      1,
      /Cannot read prompts from \/nowhere/,
    ],
    [
      'one output file for two images',
      ['a ring', '-n', '2', '-o', 'x.png'],
      2,
      /a folder for --output/,
    ],
    ['an output file of an unknown format', ['a ring', '-o', 'x.bmp'], 2, /ends in \.png/],
    [
      'a quality out of range',
      ['a ring', '--quality', '101'],
      2,
      /between 1 and 100 for --quality/,
    ],
    ['threads out of range', ['a ring', '--threads', '0'], 2, /between 1 and 1024 for --threads/],
    ['an unknown dtype', ['a ring', '--dtype', 'int8'], 2, /bfloat16, float16 for --dtype/],
    ['a dtype by another name', ['a ring', '--dtype', 'fp16'], 2, /'fp16': did you mean float16\?/],
    ['a misspelt choice', ['a ring', '--format', 'jpgg'], 2, /\(Did you mean jpg\?\)/],
    ['a negative seed', ['a ring', '--seed', '-1'], 2, /-1: without --seed, it is random/],
    ['an empty prompt', [''], 2, /expected a prompt but received an empty one/],
    ['a blank prompt', ['generate', ' \t'], 2, /expected a prompt but received an empty one/],
    [
      'JSON and the image on stdout',
      ['a ring', '-o', '-', '--json'],
      2,
      /with --json but received '-'/,
    ],
    ['a grid on stdout', ['a ring', '-o', '-', '--grid'], 2, /with --grid but received '-'/],
    ['two images on stdout', ['a ring', '-o', '-', '-n', '2'], 2, /with 2 images but received '-'/],
    ['an unknown unit', ['a ring', '--memory-budget', '4X'], 2, /such as 4GB, 4GiB or 512M/],
    [
      'a dtype that the device does not support',
      ['a ring', '--device', 'cpu', '--dtype', 'float16'],
      2,
      /on the CPU for --dtype/,
    ],
    ['an unknown device', ['a ring', '--device', 'gpu'], 2, /for --device .*: did you mean cuda\?/],
    ['a prompt without quotes', ['a', 'red', 'ring'], 2, /in quotes: karlo "a red ring"/],
    [
      'a flag that is named as in diffusers',
      ['a ring', '--guidance-scale', '4'],
      2,
      /mean --prior-guidance\?/,
    ],
    ['a misspelt flag', ['vary', 'a.png', '--upscale-steps=4'], 2, /mean --upsample-steps\?/],
    [
      'a model that does not exist',
      ['a ring', '--model', '/nowhere'],
      1,
      /ERR_KARLO_MODEL_NOT_FOUND/,
    ],
    [
      'an input image that does not exist',
      ['vary', '/nowhere.png'],
      1,
      /'\/nowhere\.png': the file does not exist/,
    ],
    [
      'an input file that is not an image',
      ['vary', 'package.json'],
      1,
      /its format is not supported/,
    ],
  ])('%s', async (_name, args, status, message) => {
    const result = await karlo(...args);
    expect(result.stderr).toMatch(message);
    expect(result.stderr).not.toMatch(/of type/);
    const failure = args.includes('--json') ? expect.stringMatching(/^\{"error"/) : '';
    expect(result).toMatchObject({ status, stdout: failure });
  });

  test('a folder that cannot be written to fails before any work', async () => {
    writeFileSync(join(folder, 'file'), '');
    const result = await karlo('a ring', '-o', join(folder, 'file', 'out'));
    expect(result.stderr).toMatch(/ERR_KARLO_WRITE: Cannot write .*is not a folder/);
    expect(result.status).toBe(1);
  });

  const mount = (options: string, at: string) =>
    spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', at]).status === 0;
  const withTmpfs = async (options: string, work: (mounted: string) => Promise<void>) => {
    const mounted = mkdtempSync(join(tmpdir(), 'karlo-disk-'));
    try {
      expect(mount(options, mounted)).toBe(true);
      await work(mounted);
    } finally {
      spawnSync('umount', [mounted]);
      rmSync(mounted, { recursive: true });
    }
  };
  // Only root can mount, and not in every container.
  const canMount = withTmpfs('size=8k', async () => {}).then(
    () => true,
    () => false,
  );

  test('a full disk leaves no half-written file', async (context) => {
    context.skip(!(await canMount), 'mounting is not permitted');
    await withTmpfs('size=8k', async (full) => {
      const result = await karlo('a ring', '-o', full, ...short);
      expect(result.stderr).toMatch(/ERR_KARLO_WRITE: .*no space is left/);
      expect(result.status).toBe(1);
      expect(readdirSync(full)).toEqual([]);
    });
  });

  test('a read-only disk fails before any work', async (context) => {
    context.skip(!(await canMount), 'mounting is not permitted');
    await withTmpfs('ro', async (readOnly) => {
      const result = await karlo('a ring', '-o', readOnly);
      expect(result.stderr).toMatch(/ERR_KARLO_WRITE: .* is read-only/);
    });
  });
});

describe('an interruption', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)(
    'by %s ends with 130 and complete files',
    async (signal) => {
      const out = join(folder, signal);
      const args = [program, 'a ring', '-n', '500', '--seed', '0', '-o', out, '--json', ...short];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      let stdout = '';
      child.stdout.on('data', (text) => {
        stdout += text;
      });
      const ended = new Promise((resolve) =>
        child.on('close', (status, by) => resolve({ status, by })),
      );
      while (!existsSync(out) || readdirSync(out).length === 0) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      child.kill(signal);
      expect(await ended).toEqual({ status: 130, by: null });
      expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'ERR_KARLO_ABORTED' } });
      for (const file of readdirSync(out)) {
        expect(file).toMatch(/^a-ring-\d+\.png$/);
        await sharp(join(out, file)).raw().toBuffer();
      }
      expect(readdirSync(out).length).toBeLessThan(400);
    },
  );
});
