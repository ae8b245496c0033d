// node raw-pixels.mjs: reads the RGB pixels of an image, and varies an image given as raw pixels
import { Karlo } from 'karlo';

const karlo = await Karlo.load({ model: 'karlo-tiny' });
const { images } = await karlo.textToImage('an orange diamond on a blue background', { seed: 3 });
for (const { data, width, height } of images) {
  const mean = [0, 1, 2].map((channel) => {
    const values = data.filter((_, i) => i % 3 === channel);
    return Math.round(values.reduce((sum, value) => sum + value, 0) / values.length);
  });
  console.log(`${width} x ${height}, mean colour rgb(${mean})`);
}

const [width, height] = [64, 64];
const red = new Uint8Array(width * height * 3);
for (let i = 0; i < red.length; i += 3) red[i] = 255;
const input = { data: red, width, height, channels: /** @type {const} */ (3) };
const variation = await karlo.imageVariation(input, { seed: 0 });
for (const image of variation.images) await image.toFile('of-red.png');
await karlo.dispose();
