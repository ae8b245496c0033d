// node invert.mjs: inverts an image, stores the inversion as JSON, and generates the image again from it
import { readFile, writeFile } from 'node:fs/promises';
import { Inversion, Karlo } from 'karlo';

const karlo = await Karlo.load({ model: 'karlo-tiny' });
const [heart] = (await karlo.textToImage('a red heart', { seed: 0 })).images;
if (heart === undefined) throw new Error('textToImage returned no image');
const inverted = await karlo.invert(heart, { steps: 25 });
await writeFile('heart.inversion.json', JSON.stringify(inverted));

const inversion = Inversion.from(JSON.parse(await readFile('heart.inversion.json', 'utf8')));
const same = await karlo.reconstruct(inversion, { seed: 0 });
for (const image of same.images) await image.toFile('reconstruction.png');
// With eta, each step adds noise: variations that keep more of the image than imageVariation does.
const varied = await karlo.reconstruct(inversion, { eta: 0.5, seed: 1 });
for (const image of varied.images) await image.toFile('reconstruction-varied.png');
console.log('heart.inversion.json, reconstruction.png, reconstruction-varied.png');
await karlo.dispose();
