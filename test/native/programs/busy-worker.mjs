// A worker that calls the addon without a pause, in one of several ways, until it is terminated.
import { parentPort, workerData } from 'node:worker_threads';
import { Engine, ScriptModule, Tensor } from '../../../dist/lib/torch/index.js';
import { arithmetic } from './common.mjs';

const engine = new Engine({ threads: 1 });
const module = await ScriptModule.load(arithmetic, { engine });
const data = new Float32Array(4);
const shapeWithGetter = (get) => Object.defineProperty([0], 0, { get });

const ways = {
  returns: () => Tensor.from(data).add(1).dispose(),
  throws: () => {
    try {
      Tensor.from(data).slice(9, 0, 1);
    } catch {}
  },
  'calls a getter': () => {
    Tensor.from(
      data,
      shapeWithGetter(() => {
        for (let i = 0; i < 1e6; i += 1);
        return 4;
      }),
    );
  },
  'calls a getter that ends the thread': () =>
    Tensor.from(
      data,
      shapeWithGetter(() => process.exit()),
    ),
  'resolves a promise': () => module.run('empty'),
  'resolves many promises': () =>
    Promise.all(
      Array.from({ length: 50 }, () => module.run('forward', [Tensor.from(data.subarray(1))])),
    ),
  'rejects many promises': () =>
    Promise.allSettled(Array.from({ length: 50 }, () => module.run('fail', [Tensor.from(data)]))),
};

parentPort.postMessage('ready');
for (;;) {
  const result = ways[workerData.way]();
  if (result) await result;
}
