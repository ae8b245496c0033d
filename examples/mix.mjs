// node mix.mjs [PROMPT]: images between another image and a prompt, in proportion to their weights
import { Karlo } from 'karlo';

const [prompt = 'a blue star'] = process.argv.slice(2);

const karlo = await Karlo.load({ model: 'karlo-tiny' });
const [image] = (await karlo.textToImage('a red heart', { seed: 0 })).images;
if (image === undefined) throw new Error('textToImage returned no image');
// Embeddings can be reused: otherwise, each mix would encode the image and sample the prior again.
const heart = await karlo.embedImage(image);
const other = await karlo.embedText(prompt, { seed: 0 });
for (const weight of [0.25, 0.5, 0.75]) {
  const parts = [
    { embedding: heart, weight: 1 - weight },
    { embedding: other, weight },
  ];
  const { images } = await karlo.mix(parts, { seed: 0 });
  for (const image of images) await image.toFile(`mix-${weight}.png`);
}
console.log('mix-{0.25,0.5,0.75}.png');
await karlo.dispose();
