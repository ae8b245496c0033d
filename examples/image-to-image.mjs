// node image-to-image.mjs [PROMPT]: generates images that start from another one, in several strengths
import { Karlo } from 'karlo';

const [prompt = 'a blue heart'] = process.argv.slice(2);

const karlo = await Karlo.load({ model: 'karlo-tiny' });
const [heart] = (await karlo.textToImage('a red heart', { seed: 0 })).images;
if (heart === undefined) throw new Error('textToImage returned no image');
for (const strength of [0.4, 0.8]) {
  const { images } = await karlo.imageToImage(heart, prompt, { strength, seed: 1 });
  for (const image of images) await image.toFile(`image-to-image-${strength}.png`);
}
console.log('image-to-image-{0.4,0.8}.png');
await karlo.dispose();
