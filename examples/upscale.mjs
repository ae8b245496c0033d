// node upscale.mjs: enlarges a small image by super-resolution alone
import { Karlo } from 'karlo';

const karlo = await Karlo.load({ model: 'karlo-tiny' });
const [heart] = (await karlo.textToImage('a red heart', { seed: 0 })).images;
if (heart === undefined) throw new Error('textToImage returned no image');
// Images of another size than the decoder's, 64 x 64 for Karlo, are resized to it first.
const small = await heart.toSharp().resize(32).png().toBuffer();
const { images } = await karlo.upscale(small, { seed: 0 });
for (const image of images) {
  await image.toFile('upscaled.png');
  console.log(`upscaled.png: ${image.width} x ${image.height}`);
}
await karlo.dispose();
