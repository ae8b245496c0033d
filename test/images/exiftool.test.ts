// ExifTool reads what image files say about their origin, as newsrooms, archives and platforms do.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { animationFormats, encodeAnimation } from '../../lib/images/animation.js';
import { imageFormats } from '../../lib/images/formats.js';
import { KarloImage } from '../../lib/images/karlo-image.js';
import { packageVersion } from '../../lib/util/package.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { recipes } from './helpers/recipes.js';

const exiftool = process.env.KARLO_TEST_EXIFTOOL ?? 'exiftool';
const folder = temporaryFolder();
const scheme = 'http://cv.iptc.org/newscodes/digitalsourcetype';
const pixels = { width: 16, height: 16, data: new Uint8Array(768).fill(99) };
const image = new KarloImage(pixels, 1, recipes.textToImage);
const edited = new KarloImage(pixels, 1, recipes.inpaint);
let tags: Map<string, Record<string, string>>;

beforeAll(async () => {
  for (const format of imageFormats) {
    await image.toFile(join(folder, `image.${format}`));
    await image.toFile(join(folder, `no-recipe.${format}`), { recipe: false });
    await edited.toFile(join(folder, `edited.${format}`));
    await KarloImage.grid([image, edited]).toFile(join(folder, `grid.${format}`));
    await image.toFile(join(folder, `unmarked.${format}`), { marking: false });
  }
  for (const format of animationFormats) {
    const options = { framesPerSecond: 4, quality: 90 };
    const bytes = await encodeAnimation([image, image], format, options);
    writeFileSync(join(folder, `animation.${format}`), bytes);
  }
  // One process for all files, because it starts slowly.
  const json = execFileSync(exiftool, ['-json', '-G', '-n', folder], { encoding: 'utf8' });
  const all: Record<string, string>[] = JSON.parse(json);
  tags = new Map(all.map((one) => [one['File:FileName'] as string, one]));
}, 60_000);

const files = (name: string, formats: readonly string[] = imageFormats) =>
  formats.map((format) => `${name}.${format}`);

const generated = [
  ...files('image'),
  ...files('no-recipe'),
  ...files('animation', animationFormats),
];

test.each(generated)('%s says that it was created using generative AI', (name) => {
  expect(tags.get(name)).toMatchObject({
    'XMP:DigitalSourceType': `${scheme}/trainedAlgorithmicMedia`,
    'XMP:CreatorTool': `karlo ${packageVersion()}`,
  });
  expect(tags.get(name)).not.toHaveProperty('ExifTool:Warning');
});

test.each([...files('edited'), ...files('grid')])(
  '%s says that an image was edited using generative AI',
  (name) => {
    expect(tags.get(name)).toMatchObject({
      'XMP:DigitalSourceType': `${scheme}/compositeWithTrainedAlgorithmicMedia`,
    });
  },
);

test('a PNG file names the program in a separate text', () => {
  expect(tags.get('image.png')).toMatchObject({ 'PNG:Software': `karlo ${packageVersion()}` });
});

test.each(files('unmarked'))('%s says nothing', (name) => {
  expect(tags.get(name)).not.toHaveProperty('XMP:DigitalSourceType');
  expect(tags.get(name)).not.toHaveProperty('XMP:CreatorTool');
  expect(tags.get(name)).not.toHaveProperty('PNG:Software');
});
