// node worker.mjs IMAGE
import { Worker } from 'node:worker_threads';

new Worker(new URL('./import.mjs', import.meta.url), { argv: process.argv.slice(2) });
