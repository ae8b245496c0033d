// Generates with karlo-tiny on a CUDA device, and prints what happens to its CUDA graphs.
import { createHash } from 'node:crypto';
import { Karlo } from '../../../dist/lib/index.js';
import { cudaGraphs } from '../../../dist/lib/torch/index.js';

const model = { model: 'karlo-tiny', device: 'cuda', dtype: 'float32' };
const load = (options = {}) => Karlo.load({ ...model, ...options });
const few = { prior: { steps: 4 }, decoder: { steps: 4 }, upsample: { steps: 3 } };

/** The hash of an image's pixels. */
async function generate(karlo, options = {}) {
  const { images } = await karlo.textToImage('a blue star', { seed: 3, ...few, ...options });
  return createHash('sha256').update(images[0].data).digest('hex');
}

/** Aborts an image in the decoder. @returns the name of the error */
async function abort(karlo) {
  const controller = new AbortController();
  const { signal } = controller;
  try {
    for await (const { stage } of karlo.textToImage('a blue star', { seed: 3, ...few, signal }))
      if (stage === 'decoder') controller.abort();
    return undefined;
  } catch (error) {
    return error.name;
  }
}

const karlo = await load();
const images = [];
for (let i = 0; i < 4; i += 1) images.push(await generate(karlo));
const result = { images, afterImages: cudaGraphs() };
result.aborted = await abort(karlo);
result.afterAbort = await generate(karlo);
for (let i = 0; i < 2; i += 1) await generate(karlo, { count: 2, batchSize: 2 });
result.afterBatches = cudaGraphs();
await karlo.dispose();
result.afterDispose = cudaGraphs();
const staged = await load({ residency: 'staged' });
result.staged = await generate(staged);
await staged.dispose();
result.afterStaged = cudaGraphs();
console.log(JSON.stringify(result));
