// node ai-sdk.mjs [PROMPT]: an image and a variation of it, with generateImage of the AI SDK (npm install ai)
import { writeFile } from 'node:fs/promises';
import { generateImage } from 'ai';
import { karlo } from 'karlo/ai-sdk';

const [prompt = 'a blue star'] = process.argv.slice(2);

const model = karlo.image('karlo-tiny');
const { image } = await generateImage({ model, prompt, seed: 0 });
await writeFile('ai-sdk.png', image.uint8Array);
const variation = await generateImage({
  model,
  prompt: { images: [image.uint8Array], text: prompt },
  seed: 1,
  providerOptions: { karlo: { sampling: 'turbo' } },
});
await writeFile('ai-sdk-variation.png', variation.image.uint8Array);
await karlo.dispose();
