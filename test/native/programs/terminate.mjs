// terminate.mjs ROUNDS WAY: in each round, a worker calls the addon without a pause, in that way, and is terminated
// after a random time.
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { runOnce } from './common.mjs';

const [, , rounds, way] = process.argv;
await runOnce();
for (let round = 0; round < Number(rounds); round += 1) {
  const worker = new Worker(new URL('busy-worker.mjs', import.meta.url), { workerData: { way } });
  await once(worker, 'message');
  await wait(Math.random() * 20);
  await worker.terminate();
}
await runOnce();
console.log(`${rounds} rounds`);
