import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { readRecipe } from '../../lib/images/read-recipe.js';
import { root } from '../../scripts/build/ready.mjs';
import { gallery, galleryPage, make } from '../../scripts/docs/gallery.mjs';
import { temporaryFolder } from '../support/temporary-folder.js';

const committed = join(root, 'docs', 'images', 'gallery');

test('docs/gallery.md shows every image with its command', () => {
  expect(readFileSync(join(root, 'docs', 'gallery.md'), 'utf8')).toBe(galleryPage());
  for (const { file } of gallery) expect(existsSync(join(committed, file)), file).toBe(true);
});

test('every image has a recipe', async () => {
  for (const { file } of gallery) {
    expect({ file, recipe: await readRecipe(join(committed, file)) }).toMatchObject({
      file,
      recipe: { model: { name: 'karlo-tiny' } },
    });
  }
});

test.each(['heart.png', 'edit.png'])('the command of %s writes the same image', async (name) => {
  const image = gallery.find(({ file }) => file === name);
  if (image === undefined) throw new Error(`The gallery has no ${name}`);
  const folder = temporaryFolder();
  for (const { file } of gallery.filter((other) => other !== image)) {
    copyFileSync(join(committed, file), join(folder, file));
  }
  make(image, folder);
  const [made, shown] = await Promise.all(
    [folder, committed].map((in_) => pixels(join(in_, name))),
  );
  const differences = made?.map((value, i) => Math.abs(value - (shown?.[i] ?? 255))) ?? [255];
  expect(Math.max(...differences)).toBeLessThanOrEqual(1);
});

async function pixels(file: string): Promise<number[]> {
  return [...(await sharp(file).raw().toBuffer())];
}
