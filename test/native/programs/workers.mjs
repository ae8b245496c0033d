// workers.mjs ROUNDS [main-first]: in each round, a worker loads the package, runs a module and ends: terminated during a
// call or while idle, or by exiting. The main thread uses the package afterwards, with main-first also before.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { runOnce } from './common.mjs';

const rounds = Number(process.argv[2]);
const mainFirst = process.argv[3] === 'main-first';
if (mainFirst) await runOnce();
for (let round = 0; round < rounds; round += 1) {
  // Every fourth worker is terminated while its inference thread computes.
  const steps = round % 4 === 0 ? 20 : 0;
  const worker = new Worker(new URL('worker.mjs', import.meta.url), { workerData: { steps } });
  await once(worker, 'message');
  if (round % 2 === 0) await worker.terminate();
  else {
    worker.postMessage('go');
    await once(worker, 'exit');
  }
}
await runOnce();
console.log(`${rounds} rounds`);
