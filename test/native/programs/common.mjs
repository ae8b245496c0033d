import { fileURLToPath } from 'node:url';
import { ScriptModule, Tensor } from '../../../dist/lib/torch/index.js';

export const arithmetic = fileURLToPath(
  new URL('../../../build/fixtures/arithmetic.pt', import.meta.url),
);

/** Loads a module, runs it, and checks the result. */
export async function runOnce(options = {}) {
  const module = await ScriptModule.load(arithmetic, options);
  const result = await module.run('forward', [Tensor.from(new Float32Array([1, 2, 3]))]);
  const values = [...result.toTypedArray()];
  if (String(values) !== '3,5,7')
    throw new Error(`Expected 3,5,7 from forward but received ${values}`);
  return module;
}

/** Starts a call that computes for a time proportional to `steps`. */
export function spin(module, steps) {
  const matrix = Tensor.from(new Float32Array(512 * 512).fill(0.01), [512, 512]);
  return module.run('spin', [matrix, Tensor.from(new BigInt64Array([BigInt(steps)]))]);
}
