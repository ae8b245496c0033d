// node inpaint.mjs [PROMPT]: repaints the right half of an image, with a mask of raw pixels
import { Karlo } from 'karlo';

const [prompt = 'a blue star'] = process.argv.slice(2);

const karlo = await Karlo.load({ model: 'karlo-tiny' });
const [heart] = (await karlo.textToImage('a red heart', { seed: 0 })).images;
if (heart === undefined) throw new Error('textToImage returned no image');
const { width, height } = heart;
// White where the image is repainted. A PNG file, or its transparent part, is a mask as well.
const data = Uint8Array.from({ length: width * height }, (_, i) =>
  i % width >= width / 2 ? 255 : 0,
);
const mask = { data, width, height, channels: /** @type {const} */ (1) };
const { images } = await karlo.inpaint(heart, mask, prompt, { seed: 0 });
for (const image of images) await image.toFile('inpainted.png');
console.log('inpainted.png');
await karlo.dispose();
