// Two workers load the package at the same time. One ends first, and the other continues.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const start = () => new Worker(new URL('worker.mjs', import.meta.url), { workerData: {} });
const [first, second] = [start(), start()];
await Promise.all([once(first, 'message'), once(second, 'message')]);
await first.terminate();
const third = start();
await once(third, 'message');
third.postMessage('go');
await once(third, 'exit');
second.postMessage('go');
const [status] = await once(second, 'exit');
console.log(`ended with ${status}`);
