// The built package, with its types.

const built = new URL('../../dist/lib/', import.meta.url);

/** @type {typeof import('../../lib/index.js')} */
export const { Karlo, SafetyChecker } = await import(`${built}index.js`);

/** @type {typeof import('../../lib/util/processors.js')} */
export const { defaultThreads } = await import(`${built}util/processors.js`);

/** @type {typeof import('../../lib/torch/index.js')} */
export const { cudaGraphs, devices, Engine, Generator, memory, ScriptModule, Tensor, version } =
  await import(`${built}torch/index.js`);
