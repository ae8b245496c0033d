// Forgets 2.4 GB of tensors while the event loop turns. Prints the most that was held at once.
import { setImmediate as turn } from 'node:timers/promises';
import { memory, Tensor } from '../../../dist/lib/torch/index.js';

const data = new Float32Array(1 << 20);
for (let i = 0; i < 600; i += 1) {
  Tensor.from(data);
  await turn();
}
console.log(memory().peak);
