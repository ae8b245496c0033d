// karlo/torch: typed handles over LibTorch, the layer beneath the pictures.

export { KarloError, type KarloErrorCode } from '../errors.js';
export type { TypedArray } from './addon-types.js';
export { type DeviceInfo, devices, type MemoryInfo, memory } from './device.js';
export { type Dtype, dtypes, type FloatOf, type TypedArrayOf } from './dtype.js';
export { type CallOptions, Engine, setThreads } from './engine.js';
export { Generator, maxSeed } from './generator.js';
export { type VersionInfo, version } from './load.js';
export {
  type LoadOptions,
  type ScriptInput,
  ScriptModule,
  type ScriptOutput,
} from './script-module.js';
export { Tensor } from './tensor.js';
