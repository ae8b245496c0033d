// karlo/torch: typed handles over LibTorch.

export { KarloError, type KarloErrorCode } from '../errors.js';
export type { CudaGraphs } from './cuda-graphs.js';
export { cudaGraphs, type DeviceInfo, devices, type MemoryInfo, memory } from './device.js';
export { type Dtype, dtypes, type FloatOf, type TypedArray, type TypedArrayOf } from './dtype.js';
export { type CallOptions, Engine, setThreads } from './engine.js';
export { Generator, maxSeed } from './generator.js';
export { type VersionInfo, version } from './load.js';
export {
  type FreezeOptions,
  type LoadOptions,
  type ScriptInput,
  ScriptModule,
  type ScriptOutput,
} from './script-module.js';
export { Tensor } from './tensor.js';
