// The kernels that are compiled at run time, against the operators of LibTorch in their place.
import { whyNoCudaKernels } from '../../dist/lib/torch/device.js';
import { findingsOf } from './verify.mjs';

/** @typedef {import('../compare/context.mjs').Context} Context */
/** @typedef {import('../../lib/verify/index.js').Finding} Finding */

const group = 'kernels';
/** What the tests of native/ops allow in float32, as a multiple of the error of LibTorch's operators. */
const factor = 1.5;
/** Where the error of LibTorch's operators is almost 0. */
const roundings = 1e-6;

/**
 * Runs `karlo verify` with and without the kernels. Its operators and networks use each of them; what it compares with
 * is float32 on the CPU.
 * @param {Context} context
 * @param {AbortSignal} signal
 */
export async function kernels(context, signal) {
  const reason = whyNoCudaKernels(context.options.device);
  if (reason !== undefined) throw new Error(`The kernels are not used: ${reason}`);
  const without = await findings(context, signal, '0');
  for (const finding of await findings(context, signal, '1')) {
    const other = without.find(
      ({ subject, comparison }) => subject === finding.subject && comparison === finding.comparison,
    );
    add(context, finding, other);
  }
}

/**
 * @param {Context} context
 * @param {AbortSignal} signal
 * @param {'0' | '1'} kernels
 * @returns {Promise<Finding[]>} those of the GPU's operators and networks
 */
async function findings(context, signal, kernels) {
  const { device } = context.options;
  const all = await findingsOf(context, signal, { KARLO_CUDA_KERNELS: kernels });
  return all.filter(
    ({ part, comparison, errors }) =>
      ['operators', 'networks'].includes(part) && comparison.includes(device) && errors,
  );
}

/**
 * @param {Context} context
 * @param {Finding} finding
 * @param {Finding | undefined} without
 */
function add(context, { subject, comparison, errors }, without) {
  const [ours, theirs] = [errors?.mean ?? Number.NaN, without?.errors?.mean ?? Number.NaN];
  const limit = factor * theirs + roundings;
  context.add({
    ...{ group, what: `${subject}: ${comparison}, mean`, unit: /** @type {const} */ ('relative') },
    ...{ ours: [ours], limit, target: `≤ ${limit.toPrecision(3)}` },
  });
}
