// node edit.mjs: edits an image by the difference of two texts, in several strengths
import { Karlo } from 'karlo';

const [from, to] = ['a red heart', 'a blue heart'];

const karlo = await Karlo.load({ model: 'karlo-tiny' });
const [heart] = (await karlo.textToImage(from, { seed: 0 })).images;
if (heart === undefined) throw new Error('textToImage returned no image');
for (const strength of [0.25, 0.5]) {
  const { images } = await karlo.edit(heart, { from, to, strength, seed: 0 });
  for (const image of images) await image.toFile(`edit-${strength}.png`);
}
console.log('edit-{0.25,0.5}.png');
await karlo.dispose();
