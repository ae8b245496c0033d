// The images of docs/gallery.md: each is what one command writes with karlo-tiny, and has its recipe in the file.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../build/ready.mjs';
import { block, page } from './markdown.mjs';

/** @typedef {{ file: string, title: string, alt: string, command: string }} GalleryImage */

/** In float32 on the CPU, an image is the same on every machine to within 1/255. */
const reproducible = '--device cpu --dtype float32';

/** In the order in which they are made: later commands read the images of earlier ones. @type {GalleryImage[]} */
export const gallery = [
  image(
    'heart.png',
    'A prompt',
    'A red heart on white',
    'karlo "a red heart on a white background" --seed 3',
  ),
  image(
    'star.png',
    'Another prompt',
    'A striped blue star on white',
    'karlo "a blue star on a white background" --seed 3',
  ),
  image(
    'ring.png',
    'Colours of the background',
    'A green ring on black',
    'karlo "a green ring on a black background" --seed 1',
  ),
  image(
    'turbo.png',
    'Fewest steps',
    'A pink moon on grey',
    'karlo "a pink moon" --seed 0 --sampling turbo',
  ),
  image(
    'default.png',
    'Most steps',
    'A striped pink moon on green',
    'karlo "a pink moon" --seed 0 --sampling default',
  ),
  image(
    'dpm.png',
    'Another sampler',
    'A yellow diamond on blue',
    'karlo "a yellow diamond on a blue background" --seed 0 --decoder-sampler dpm++ --decoder-steps 15 --decoder-guidance 4',
  ),
  image(
    'best.png',
    'The best of four drafts',
    'A striped purple cross on green',
    'karlo "a purple cross" --seed 0 --candidates 4',
  ),
  image(
    'draft.png',
    'A draft, before super-resolution',
    'A small red heart',
    'karlo "a red heart on a white background" --seed 3 --draft',
  ),
  image(
    'variation.png',
    'A variation of an image',
    'A rounded red square on light blue',
    'karlo vary heart.png --seed 1',
  ),
  image(
    'mix.png',
    'A mix of two images',
    'A heart with dark stripes',
    'karlo mix heart.png:0.5 star.png:0.5 --seed 1',
  ),
  image(
    'edit.png',
    'An edit by two texts',
    'A blue heart',
    'karlo edit heart.png --from "a red heart" --to "a blue heart" --strength 0.5 --seed 0',
  ),
  image(
    'img2img.png',
    'A prompt that starts from an image',
    'A blue heart with white stripes',
    'karlo img2img heart.png "a blue heart on a white background" --strength 0.6 --seed 0',
  ),
  image('upscale.png', 'Super-resolution alone', 'A red heart', 'karlo upscale draft.png --seed 0'),
];

/**
 * @param {string} file
 * @param {string} title
 * @param {string} alt
 * @param {string} command
 * @returns {GalleryImage}
 */
function image(file, title, alt, command) {
  return { file, title, alt, command: `npx ${command} ${reproducible} --output ${file}` };
}

/**
 * Runs the command of an image in a folder with the images that it reads.
 * @param {GalleryImage} image
 * @param {string} folder
 */
export function make({ command }, folder) {
  const main = join(root, 'dist', 'lib', 'cli', 'main.js');
  const line = command.replace(/^npx karlo/, `'${process.execPath}' '${main}'`);
  const { status, stderr } = spawnSync(line, { cwd: folder, shell: true, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ended with status ${status}: ${stderr}`);
}

/** docs/gallery.md */
export function galleryPage() {
  return page(
    '# Gallery',
    'Each image is what its command writes with `karlo-tiny`, the miniature of the model that ships with the package. Run the commands from top to bottom in one folder: some read images of others. `npx karlo info FILE` prints the recipe in each file.',
    ...gallery.flatMap(({ file, title, alt, command }) => [
      `## ${title}`,
      `![${alt}](images/gallery/${file})`,
      block('sh', command),
    ]),
  );
}
