import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, test } from 'vitest';
import { formatOf, imageFormats } from '../../lib/images/formats.js';
import { KarloImage } from '../../lib/images/karlo-image.js';
import { writeAtomically } from '../../lib/images/write-file.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const isRoot = process.getuid?.() === 0;

function solid(width: number, height: number, value: number): KarloImage {
  return new KarloImage({ width, height, data: new Uint8Array(3 * width * height).fill(value) }, 7);
}

const ramp = new KarloImage(
  { width: 16, height: 4, data: Uint8Array.from({ length: 192 }, (_, i) => i) },
  1,
);

const failing = (code: string, message: RegExp, cause?: string) =>
  expect.objectContaining({
    name: 'KarloError',
    code,
    message: expect.stringMatching(message),
    ...(cause && { cause: expect.objectContaining({ code: cause }) }),
  });
const invalid = (message: RegExp) => failing('ERR_KARLO_INVALID_ARGUMENT', message);

describe('toBuffer', () => {
  const lossless = imageFormats.filter((format) => !formatOf(format).lossy);
  test.each(lossless)('%s is lossless', async (format) => {
    const bytes = await ramp.toBuffer(format);
    expect(new Uint8Array(await sharp(bytes).raw().toBuffer())).toEqual(ramp.data);
  });

  test.each(imageFormats.filter((format) => formatOf(format).lossy))(
    '%s depends on the quality',
    async (format) => {
      const known = { jpg: 'jpeg', avif: 'heif' }[format as string] ?? format;
      const fine = await ramp.toBuffer(format);
      expect(await sharp(fine).metadata()).toMatchObject({ format: known, width: 16, height: 4 });
      expect((await ramp.toBuffer(format, { quality: 5 })).length).toBeLessThan(fine.length);
    },
  );

  test('JPEG has no chroma subsampling', async () => {
    const bytes = await ramp.toBuffer('jpeg');
    expect((await sharp(bytes).metadata()).chromaSubsampling).toBe('4:4:4');
  });

  test('toSharp returns a sharp pipeline', async () => {
    expect(new Uint8Array(await ramp.toSharp().raw().toBuffer())).toEqual(ramp.data);
  });

  test('rejects invalid formats, options and sizes', async () => {
    await expect(ramp.toBuffer('bmp' as 'png')).rejects.toEqual(invalid(/one of png, jpg/));
    await expect(ramp.toBuffer('toString' as 'png')).rejects.toEqual(invalid(/for format/));
    await expect(ramp.toBuffer('jpeg', { quality: 0 })).rejects.toEqual(invalid(/1 and 100/));
    await expect(ramp.toBuffer('jpeg', { qualty: 5 } as never)).rejects.toEqual(
      invalid(/Unknown option qualty: did you mean quality\?/),
    );
    await expect(ramp.toFile('never.jpg', { forse: true } as never)).rejects.toEqual(
      invalid(/Unknown option forse: did you mean force\?/),
    );
    await expect(solid(20_000, 1, 0).toBuffer('webp')).rejects.toEqual(
      invalid(/encode the image as webp/),
    );
    const short = { width: 2, height: 2, data: new Uint8Array(11) };
    expect(() => new KarloImage(short, 0)).toThrow(invalid(/3 x 2 x 2 elements for data/));
  });

  test.each(['jpg', 'webp', 'avif'] as const)('%s has a limit of width', async (format) => {
    await expect(solid(70_000, 1, 0).toBuffer(format)).rejects.toEqual(
      invalid(/^Cannot encode the image as \w+: it is too large for that format\. Use another/),
    );
  });
});

describe('toFile', () => {
  test('writes the format of the extension, in any case', async () => {
    for (const name of ['a.png', 'b.JPG', 'c.webp', 'd.avif', 'e.tif']) {
      await ramp.toFile(join(folder, name));
    }
    const read = await Promise.all(
      ['a.png', 'b.JPG', 'c.webp', 'd.avif', 'e.tif'].map(
        async (name) => (await sharp(join(folder, name)).metadata()).format,
      ),
    );
    expect(read).toEqual(['png', 'jpeg', 'webp', 'heif', 'tiff']);
  });

  test('writes a name of maximum length', async () => {
    const path = join(folder, `${'x'.repeat(251)}.png`);
    await ramp.toFile(path);
    expect(existsSync(path)).toBe(true);
  });

  test('overwrites a file, and nothing with force: false', async () => {
    const path = join(folder, 'existing.png');
    writeFileSync(path, 'precious');
    await expect(ramp.toFile(path, { force: false })).rejects.toEqual(
      invalid(/existing\.png already exists: leave out force: false/),
    );
    // As if another program created the file while the image is encoded.
    await expect(writeAtomically(path, Buffer.from('x'), false)).rejects.toEqual(
      invalid(/already/),
    );
    expect(readFileSync(path, 'utf8')).toBe('precious');
    await ramp.toFile(path);
    expect((await sharp(path).metadata()).width).toBe(16);
    await solid(8, 8, 1).toFile(path, { force: true });
    expect((await sharp(path).metadata()).width).toBe(8);
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('follows a symbolic link and keeps the permissions of a file, as fs.writeFile does', async () => {
    const [target, path] = [join(folder, 'target.png'), join(folder, 'link.png')];
    writeFileSync(target, 'old', { mode: 0o600 });
    symlinkSync(target, path);
    await ramp.toFile(path);
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
    expect((await sharp(target).metadata()).width).toBe(16);
    expect(statSync(target).mode & 0o777).toBe(0o600);
  });

  test('does not replace a device', async () => {
    const link = join(folder, 'device.png');
    symlinkSync('/dev/null', link);
    for (const path of ['/dev/null', link]) {
      await expect(writeAtomically(path, Buffer.from('x'), true)).rejects.toEqual(
        invalid(/is a device or a pipe/),
      );
    }
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  test('of two calls that write the same new file, one succeeds and one rejects', async () => {
    const path = join(folder, 'race.png');
    const [one, two] = [solid(64, 64, 1), solid(64, 64, 2)];
    const results = await Promise.allSettled(
      [one, two].map((image) => image.toFile(path, { force: false })),
    );
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const won = results[0]?.status === 'fulfilled' ? 1 : 2;
    expect((await sharp(path).raw().toBuffer())[0]).toBe(won);
  });

  test.each<[string, string, string, RegExp]>([
    [
      'a missing folder',
      'none/a.png',
      'ENOENT',
      /Cannot write .*a\.png: the folder .*none does not exist/,
    ],
    ['a file instead of a folder', 'a.png/b.png', 'ENOTDIR', /a\.png is not a folder/],
  ])('reports %s', async (_name, path, cause, message) => {
    const error = failing('ERR_KARLO_WRITE', message, cause);
    await expect(ramp.toFile(join(folder, path))).rejects.toEqual(error);
  });

  test('reports a folder of that name', async () => {
    const path = join(folder, 'folder.png');
    mkdirSync(path);
    await expect(ramp.toFile(path)).rejects.toEqual(failing('ERR_KARLO_WRITE', /it is a folder/));
  });

  test.each([['a'], ['a.bmp'], ['.png'], [''], [undefined]])(
    'rejects the path %s',
    async (path) => {
      await expect(ramp.toFile(path as string)).rejects.toEqual(invalid(/ends in \.png, \.jpg/));
    },
  );

  test.skipIf(isRoot)('reports a folder without permission', async () => {
    const locked = join(folder, 'locked');
    mkdirSync(locked);
    chmodSync(locked, 0o500);
    await expect(ramp.toFile(join(locked, 'a.png'))).rejects.toEqual(
      failing('ERR_KARLO_WRITE', /no permission to write in .*locked/, 'EACCES'),
    );
  });
});

/** Mounts a small file system in memory; undefined if this user may not mount. */
function mounted(name: string, options: string): string | undefined {
  const path = join(folder, name);
  mkdirSync(path);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  afterAll(() => execFileSync('umount', [path]));
  return path;
}

const full = isRoot ? mounted('full', 'size=64k') : undefined;
const readOnly = isRoot ? mounted('read-only', 'ro') : undefined;

describe('toFile with a failing file system', () => {
  test.skipIf(full === undefined)(
    'leaves the old file intact, and no other, if the disk is full',
    async () => {
      const path = join(full as string, 'noise.png');
      await ramp.toFile(path);
      const before = readFileSync(path);
      const data = new Uint8Array(randomBytes(3 * 256 * 256));
      const large = new KarloImage({ width: 256, height: 256, data }, 0);
      const message = /Cannot write .*noise\.png: no space is left on the disk/;
      await expect(large.toFile(path)).rejects.toEqual(
        failing('ERR_KARLO_WRITE', message, 'ENOSPC'),
      );
      expect(readdirSync(dirname(path))).toEqual(['noise.png']);
      expect(readFileSync(path)).toEqual(before);
    },
  );

  test.skipIf(readOnly === undefined)('reports a read-only file system', async () => {
    await expect(ramp.toFile(join(readOnly as string, 'a.png'))).rejects.toEqual(
      failing('ERR_KARLO_WRITE', /is read-only/, 'EROFS'),
    );
  });

  test('a killed process leaves a complete file or none', async () => {
    const path = join(folder, 'killed.bin');
    // Bundled from the source, because Node cannot load TypeScript here.
    const source = join(import.meta.dirname, '../../lib/images/write-file.ts');
    const program = `
      import { build } from 'vite';
      const { output } = (await build({
        logLevel: 'silent', configFile: false,
        build: { write: false, minify: false, ssr: ${JSON.stringify(source)} },
      }));
      const { writeAtomically } = await import('data:text/javascript,' + encodeURIComponent(output[0].code));
      process.stdout.write('ready');
      for (;;) await writeAtomically(${JSON.stringify(path)}, Buffer.alloc(8e6, 1), true);
    `;
    for (const delay of [3, 17, 40]) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
        cwd: join(import.meta.dirname, '../..'),
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await new Promise((resolve) => child.stdout.once('data', resolve));
      await new Promise((resolve) => setTimeout(resolve, delay));
      child.kill('SIGKILL');
      await new Promise((resolve) => child.once('exit', resolve));
      if (existsSync(path)) expect(readFileSync(path).length).toBe(8e6);
    }
  });
});

describe('grid', () => {
  const at = ({ data, width }: KarloImage, x: number, y: number) => data[3 * (y * width + x)];

  test('arranges images row by row, separated by white, in a square', () => {
    const grid = KarloImage.grid([10, 20, 30, 40, 50].map((value) => solid(4, 6, value)));
    expect([grid.width, grid.height]).toEqual([3 * 6 - 2, 2 * 8 - 2]);
    expect([0, 6, 12].map((x) => at(grid, x, 0))).toEqual([10, 20, 30]);
    expect([0, 6, 12].map((x) => at(grid, x + 3, 13))).toEqual([40, 50, 255]);
    expect([at(grid, 4, 0), at(grid, 5, 0), at(grid, 0, 6), at(grid, 0, 7)]).toEqual([
      255, 255, 255, 255,
    ]);
    expect(grid).toMatchObject({ seed: 7, recipe: undefined });
  });

  test('has at most as many columns as images', () => {
    const three = [1, 2, 3].map((value) => solid(2, 2, value));
    expect(KarloImage.grid(three, 1)).toMatchObject({ width: 2, height: 10 });
    expect(KarloImage.grid(three, 9)).toMatchObject({ width: 10, height: 2 });
    expect(KarloImage.grid([three[0] as KarloImage]).data).toEqual(three[0]?.data);
  });

  test('centres smaller images', () => {
    const grid = KarloImage.grid([solid(6, 6, 0), solid(2, 4, 9)], 2);
    expect([grid.width, grid.height]).toEqual([14, 6]);
    const row = (y: number) => [8, 9, 10, 11, 12, 13].map((x) => at(grid, x, y));
    expect(row(0)).toEqual([255, 255, 255, 255, 255, 255]);
    expect(row(1)).toEqual([255, 255, 9, 9, 255, 255]);
    expect(row(4)).toEqual([255, 255, 9, 9, 255, 255]);
  });

  test('rejects other values than images, and an invalid number of columns', () => {
    expect(() => KarloImage.grid([])).toThrow(invalid(/non-empty array of KarloImage for images/));
    expect(() => KarloImage.grid([{}] as KarloImage[])).toThrow(invalid(/KarloImage/));
    expect(() => KarloImage.grid([ramp], 0)).toThrow(invalid(/1 and 1000 for columns/));
  });
});
