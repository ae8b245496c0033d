// This package's side of the comparison: responds to each line of JSON on stdin with a line of JSON on stdout.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { cudaGraphs, devices, Karlo, memory, version } from '../package.mjs';
import { LoadedNetwork } from './network.mjs';

/**
 * @typedef {object} Placing how a model or a network is loaded
 * @property {string} model its folder
 * @property {string} device
 * @property {import('../../../lib/index.js').WeightDtype} dtype
 * @property {number} threads
 */

const prompt = 'a red heart on a white background';
/** Sampling interval of the event-loop delay, in ms. */
const resolution = 1;

/** @type {import('../../../lib/index.js').Karlo | undefined} */
let karlo;
/** @type {LoadedNetwork | undefined} */
let network;
let device = 'cpu';

async function drop() {
  await karlo?.dispose();
  await network?.dispose();
  karlo = undefined;
  network = undefined;
}

/**
 * @param {() => Promise<unknown>} work
 * @returns {Promise<number>}
 */
async function seconds(work) {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** @param {import('../../../lib/index.js').TextToImageOptions} options */
function textToImage(options) {
  if (karlo === undefined) throw new Error('no model is loaded');
  return karlo.textToImage(prompt, { seed: 0, ...options });
}

/**
 * @typedef {[prior: number, decoder: number, upsample: number]} Steps
 * @param {Steps} [steps] those of the preset by default
 */
function stagesOf(steps) {
  if (steps === undefined) return {};
  const [prior, decoder, upsample] = steps;
  return { prior: { steps: prior }, decoder: { steps: decoder }, upsample: { steps: upsample } };
}

/** @type {Record<string, (request: any) => Promise<Record<string, unknown>>>} */
const requests = {
  async ready() {
    return {};
  },

  async facts() {
    return { devices: devices(), version: version(), cudaGraphs: cudaGraphs() };
  },

  async graphs() {
    return { ...cudaGraphs() };
  },

  /** @param {import('../../../lib/index.js').KarloOptions & { compile?: boolean }} options `compile` is the reference's */
  async load({ compile: _, ...options }) {
    await drop();
    const taken = await seconds(async () => {
      karlo = await Karlo.load(options);
    });
    device = karlo?.device ?? device;
    return { seconds: taken };
  },

  /**
   * One call, with the seconds of each stage.
   * @param {{ batch: number, sampling?: 'fast' | 'default', steps?: Steps }} request
   */
  async image({ batch, sampling = 'fast', steps }) {
    const start = performance.now();
    const options = { count: batch, batchSize: batch, sampling, ...stagesOf(steps) };
    const { timings } = await textToImage(options);
    return { ...timings, seconds: (performance.now() - start) / 1000 };
  },

  /**
   * Calls for one image each, concurrent or sequential.
   * @param {{ callers: number, atOnce: boolean, batchSize: number }} request
   */
  async callers({ callers, atOnce, batchSize }) {
    const call = (/** @type {number} */ seed) => textToImage({ seed, batchSize });
    const seeds = Array.from({ length: callers }, (_, seed) => seed);
    const taken = await seconds(async () => {
      if (atOnce) await Promise.all(seeds.map(call));
      else for (const seed of seeds) await call(seed);
    });
    return { seconds: taken };
  },

  /**
   * The p99 delay of the event loop while images are generated.
   * @param {{ images: number, previews: boolean }} request
   */
  async delay({ images, previews }) {
    const histogram = monitorEventLoopDelay({ resolution });
    histogram.enable();
    for (let seed = 0; seed < images; seed += 1) {
      for await (const _ of textToImage({ seed, previews }));
    }
    histogram.disable();
    // The histogram records the time between two samples, which includes the interval.
    return { seconds: Math.max(0, histogram.percentile(99) / 1e9 - resolution / 1000) };
  },

  /** @param {Placing & { component: import('../../../lib/networks/registry.js').ComponentName }} options */
  async network(options) {
    await drop();
    const taken = await seconds(async () => {
      network = await LoadedNetwork.load(options);
    });
    return { seconds: taken };
  },

  async forward() {
    return { seconds: await seconds(async () => network?.forward()) };
  },

  /**
   * The stage of the loaded network, for a few steps.
   * @param {{ steps: number }} request
   */
  async stage({ steps }) {
    return { ...(await network?.stage(steps)) };
  },

  /**
   * The RGB bytes of an image of each prompt with each seed, in base64.
   * @param {{ prompts: string[], seeds: number[], batchSize: number, steps?: Steps }} request
   */
  async pixels({ prompts, seeds, batchSize, steps }) {
    const options = { count: seeds.length, seed: seeds, batchSize, ...stagesOf(steps) };
    const result = await karlo?.textToImage(prompts, options);
    return { pixels: result?.images.map(({ data }) => Buffer.from(data).toString('base64')) };
  },

  /**
   * Bytes: RSS and its peak, and for a CUDA device the memory in tensors and reserved from the driver.
   * @param {{ of?: string }} request
   */
  async memory({ of = device }) {
    const { allocated, peak, reserved } = memory(of);
    const cuda = of === 'cpu' ? {} : { allocated, cudaPeak: peak, cudaReserved: reserved };
    return { peak: process.resourceUsage().maxRSS * 1024, rss: process.memoryUsage().rss, ...cuda };
  },

  /** The memory that remains after dispose(). */
  async dispose() {
    await drop();
    globalThis.gc?.();
    return requests.memory?.({}) ?? {};
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { do: name, ...request } = JSON.parse(line);
  const answer = await requests[name]?.(request).catch((error) => ({ error: String(error) }));
  console.log(JSON.stringify(answer));
}
await drop();
