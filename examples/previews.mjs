// node previews.mjs [PROMPT]: a call is both a promise and a stream of events
import { Karlo } from 'karlo';

const [prompt = 'a green ring on a black background'] = process.argv.slice(2);

const karlo = await Karlo.load({ model: 'karlo-tiny' });
const task = karlo.textToImage(prompt, { seed: 7, previews: true });
for await (const event of task) {
  if (event.type === 'image') continue;
  console.log(`${event.stage} ${event.step}/${event.steps}`);
  // The prior has no previews, the decoder's are small, and super-resolution's have full size.
  for (const { image } of event.previews ?? []) {
    await image.toFile(`preview-${event.stage}-${event.step}.png`);
  }
}
const { images } = await task;
for (const image of images) await image.toFile('ring.png');
await karlo.dispose();
