import { full } from '../compare/groups/full.mjs';
import { tiny } from '../compare/groups/tiny.mjs';
import { writeFullSize } from '../full-size/write.mjs';
import { accelerations } from './accelerations.mjs';
import { batches } from './batches.mjs';
import { describeDevice } from './device.mjs';
import { graphs } from './graphs.mjs';
import { oneImage } from './image.mjs';
import { kernels } from './kernels.mjs';
import { cudaMemory } from './memory.mjs';
import { parity } from './parity.mjs';
import { verify } from './verify.mjs';

/** @typedef {import('../compare/context.mjs').Context} Context */
/** @typedef {import('./run-parts.mjs').Part} Part */

/**
 * The parts in the order of what one wants to know first, for a run that may end at any time.
 * @param {Context} context receives the rows
 * @param {{ facts: Record<string, string>, writeModel: boolean }} plan `facts` receives what is no figure
 * @returns {Part[]}
 */
export function planParts(context, { facts, writeModel }) {
  const { full: folder, reference } = context.options;
  const parts = [
    part('device', 60, () => describeDevice(context, facts)),
    part('image', 60, (signal) => oneImage(context, signal)),
    part('verify', 90, (signal) => verify(context, signal)),
    part('parity', 60, () => parity(context)),
    part('kernels', 120, (signal) => kernels(context, signal)),
    part('graphs', 60, (signal) => graphs(context, signal)),
    part('speed', 60, (signal) => accelerations(context, 'tiny', signal)),
  ];
  if (folder !== undefined) {
    if (writeModel) parts.push(part('weights', 90, (signal) => writeFullSize(folder, signal)));
    parts.push(
      part('speed-full', 120, (signal) => accelerations(context, 'full', signal)),
      part('memory', 90, (signal) => cudaMemory(context, signal)),
      part('batches', 60, () => batches(context)),
    );
  }
  // The reference takes minutes to compile, so it comes last.
  if (reference !== undefined) {
    parts.push(
      part('reference', 30, () => context.referenceVersions()),
      part('reference-full', 120, () => full(context)),
      part('reference-tiny', 120, () => tiny(context)),
      part('reference-compiled', 300, () => full(context.compiled())),
    );
  }
  return parts;
}

/**
 * @param {string} name
 * @param {number} seconds
 * @param {Part['work']} work
 * @returns {Part}
 */
function part(name, seconds, work) {
  return { name, seconds, work };
}
