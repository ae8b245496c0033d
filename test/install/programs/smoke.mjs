// node smoke.mjs IMAGE: what can differ between runtimes: native code, signals, processes, threads, and how a program ends.
// Prints the image's SHA-256.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { Karlo } from 'karlo';

const path = process.argv[2];
const prompt = 'a red heart on a white background';
const karlo = await Karlo.load({ device: 'cpu', dtype: 'float32' });

const controller = new AbortController();
const { signal } = controller;
const task = karlo.textToImage(prompt, { count: 100, signal });
const abortInFirstStep = async () => {
  for await (const { type } of task) if (type === 'step') controller.abort();
};
await assert.rejects(abortInFirstStep, (error) => error === signal.reason);

const { images } = await karlo.textToImage(prompt, { seed: 0 });
await images[0].toFile(path);

// Files are decoded in another process.
const bytes = readFileSync(path);
await karlo.imageVariation(path, { sampling: 'fast' });
const damaged = karlo.imageVariation(bytes.subarray(0, 1000));
await assert.rejects(damaged, { code: 'ERR_KARLO_INVALID_ARGUMENT' });
await karlo.dispose();
await assert.rejects(async () => karlo.textToImage(prompt), { code: 'ERR_KARLO_DISPOSED' });

const argv = [`${path}.thread.png`];
const [status] = await once(new Worker(new URL('./import.mjs', import.meta.url), { argv }), 'exit');
assert.equal(status, 0);
assert.deepEqual(readFileSync(argv[0]), bytes);
console.log(createHash('sha256').update(bytes).digest('hex'));
