// Creates 2.4 GB of tensors that it does not dispose, and lets the event loop run. Prints the peak of their memory.
import { setImmediate as turn } from 'node:timers/promises';
import { memory, Tensor } from '../../../dist/lib/torch/index.js';

const data = new Float32Array(1 << 20);
for (let i = 0; i < 600; i += 1) {
  Tensor.from(data);
  await turn();
}
console.log(memory().peak);
