// node variation.mjs IMAGE: four variations of any image that sharp can read
import { Karlo } from 'karlo';

const [input = 'heart.png'] = process.argv.slice(2);

const karlo = await Karlo.load({ model: 'karlo-tiny' });
const { images, seeds } = await karlo.imageVariation(input, { count: 4, seed: 1, batchSize: 4 });
for (const [i, image] of images.entries()) await image.toFile(`variation-${seeds[i]}.png`);
console.log(`variation-{${seeds.join(',')}}.png`);
await karlo.dispose();
