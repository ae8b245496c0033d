// node interpolate.mjs [FROM] [TO]: an animated WebP of the way from one prompt to another
import { Karlo } from 'karlo';
import sharp from 'sharp';

const [from = 'a red heart', to = 'a blue star'] = process.argv.slice(2);

const karlo = await Karlo.load({ model: 'karlo-tiny' });
const { images } = await karlo.interpolate(
  { prompt: from },
  { prompt: to },
  { frames: 8, easing: 'in-out', seed: 0, batchSize: 4 },
);
// sharp reads the frames of an animation as pages of one tall image.
const pixels = Buffer.concat(images.map(({ data }) => data));
const [width, pageHeight] = [karlo.size, karlo.size];
const height = pageHeight * images.length;
await sharp(pixels, { raw: { width, height, channels: 3, pageHeight } })
  .webp({ delay: images.map(() => 100), loop: 0 })
  .toFile('interpolation.webp');
console.log(`interpolation.webp: ${images.length} frames`);
await karlo.dispose();
