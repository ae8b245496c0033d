// end-while-opening.mjs MILLISECONDS: a worker opens LibTorch on a third thread and is terminated after that time.
// Then the main thread uses LibTorch.
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { runOnce } from './common.mjs';

const load = new URL('../../../dist/lib/torch/load.js', import.meta.url);
const program = `import('${load}').then(({ openAhead }) => {
  openAhead();
  require('node:worker_threads').parentPort.postMessage('started');
});`;
const worker = new Worker(program, { eval: true });
await once(worker, 'message');
await wait(Number(process.argv[2]));
await worker.terminate();
await runOnce();
console.log('used');
