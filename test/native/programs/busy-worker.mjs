// A worker that does nothing but call the addon, in one of several ways, until it is terminated.
import { parentPort, workerData } from 'node:worker_threads';
import { Engine, ScriptModule, Tensor } from '../../../dist/lib/torch/index.js';
import { arithmetic } from './common.mjs';

const engine = new Engine({ threads: 1 });
const module = await ScriptModule.load(arithmetic, { engine });
const data = new Float32Array(4);
const shapeThat = (get) => Object.defineProperty([0], 0, { get });

const ways = {
  answers: () => Tensor.from(data).add(1).dispose(),
  throws: () => {
    try {
      Tensor.from(data).slice(9, 0, 1);
    } catch {}
  },
  'is within a getter': () => {
    Tensor.from(
      data,
      shapeThat(() => {
        for (let i = 0; i < 1e6; i += 1);
        return 4;
      }),
    );
  },
  'ends the thread within a getter': () =>
    Tensor.from(
      data,
      shapeThat(() => process.exit()),
    ),
  resolves: () => module.run('empty'),
  'resolves many': () =>
    Promise.all(
      Array.from({ length: 50 }, () => module.run('forward', [Tensor.from(data.subarray(1))])),
    ),
  'rejects many': () =>
    Promise.allSettled(Array.from({ length: 50 }, () => module.run('fail', [Tensor.from(data)]))),
};

parentPort.postMessage('ready');
for (;;) {
  const result = ways[workerData.way]();
  if (result) await result;
}
