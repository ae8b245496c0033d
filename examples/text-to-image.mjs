// node text-to-image.mjs [PROMPT] [FILE]: writes an image of a prompt
import { Karlo } from 'karlo';

const [prompt = 'a red heart on a white background', file = 'heart.png'] = process.argv.slice(2);

const karlo = await Karlo.load({ model: 'karlo-tiny' });
const { images, timings } = await karlo.textToImage(prompt, { seed: 0 });
for (const image of images) await image.toFile(file);
console.log(`${file}: ${timings.total.toFixed(1)} s`);
await karlo.dispose();
