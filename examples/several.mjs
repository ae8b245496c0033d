// node several.mjs: every prompt with every seed in one call, joined into one file
import { Karlo } from 'karlo';
import sharp from 'sharp';

const prompts = ['a red circle', 'a yellow triangle', 'a striped green square'];
const seeds = [1, 2];

const karlo = await Karlo.load({ model: 'karlo-tiny' });
const { images } = await karlo.textToImage(prompts, { seed: seeds, batchSize: 3 });
const pngs = await Promise.all(images.map((image) => image.toBuffer('png')));
// Images are ordered prompt by prompt, so that each row shows one prompt.
await sharp(pngs, { join: { across: seeds.length, shim: 4 } }).toFile('several.png');
console.log(`several.png: ${images.length} images`);
await karlo.dispose();
