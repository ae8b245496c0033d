import { parentPort, workerData } from 'node:worker_threads';
import { Engine } from '../../../dist/lib/torch/index.js';
import { runOnce, spin } from './common.mjs';

const engine = new Engine({ threads: 2 });
const module = await runOnce({ engine });
if (workerData.steps) spin(module, workerData.steps).catch(() => {});
parentPort.postMessage('ran');
// Runs until it receives a message or is terminated.
parentPort.once('message', () => engine.dispose().then(() => process.exit()));
