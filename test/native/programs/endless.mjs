// endless.mjs WAY: ends this process, or a worker of it, while a graph loops for ever.
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Engine, ScriptModule } from '../../../dist/lib/torch/index.js';
import { arithmetic, runOnce } from './common.mjs';

async function loop(options = {}) {
  const module = await ScriptModule.load(arithmetic, { engine: new Engine({ threads: 1 }) });
  return module.run('forever', [], options);
}

/** Waits until the process has computed for a tenth of a second: the graph runs. */
async function computing() {
  const start = process.cpuUsage();
  while (process.cpuUsage(start).user < 100_000) await wait(5);
}

function workerThatLoops(argument = 'worker') {
  return new Worker(new URL(import.meta.url), { argv: [argument] });
}

const ways = {
  async 'process.exit()'() {
    loop();
    await computing();
    process.exit(7);
  },
  async 'the end of the program, after an abort'() {
    const controller = new AbortController();
    const call = loop({ signal: controller.signal });
    computing().then(() => controller.abort(new Error('aborted')));
    await call.catch(({ message }) => console.log(message));
    await runOnce();
  },
  async 'terminate()'() {
    const worker = workerThatLoops();
    await computing();
    console.log(await worker.terminate());
  },
  async 'terminate(), before the thread uses the addon itself'() {
    const worker = workerThatLoops();
    await computing();
    await worker.terminate();
    await runOnce();
    console.log('ran');
  },
  async 'process.exit() in the worker'() {
    const [status] = await once(workerThatLoops('exiting worker'), 'exit');
    console.log(status);
  },
  async 'process.exit() while a worker loops'() {
    workerThatLoops();
    await computing();
    process.exit(7);
  },
  async worker() {
    await loop();
  },
  async 'exiting worker'() {
    loop();
    await computing();
    process.exit(3);
  },
};
await ways[process.argv[2]]();
