// Two calls of the shared instance, which use one model.
import { karlo } from '../dist/lib/index.js';

const short = { prior: { steps: 2 }, decoder: { steps: 2 }, upsample: { steps: 2 }, seed: 0 };
const first = karlo.textToImage('a red heart', short);
for await (const event of first) if (event.type === 'image') console.log(event.type, event.index);
const [a, b] = [(await first).images[0], (await karlo.textToImage('a red heart', short)).images[0]];
console.log(Buffer.compare(a.data, b.data));
await karlo.dispose();
