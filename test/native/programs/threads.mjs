// Prints how many threads the main thread starts to compute on a large tensor, after an engine with two threads has
// run.
import { readdirSync } from 'node:fs';
import { Engine, Tensor } from '../../../dist/lib/torch/index.js';
import { runOnce } from './common.mjs';

await runOnce({ engine: new Engine({ threads: 2 }) });
const threads = () => readdirSync('/proc/self/task').length;
const before = threads();
Tensor.from(new Float32Array(1 << 22))
  .add(1)
  .mul(2);
console.log(threads() - before);
