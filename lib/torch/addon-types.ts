// The complete native contract: every function that native/addon/addon.cc registers, with its TypeScript types.
// Handles are opaque objects that own a native object; the addon checks their type on every call.
// Every function throws an Error whose `code` is a KarloErrorCode. Nothing here is public.

import type { Dtype, TypedArray } from './dtype.js';

declare const kind: unique symbol;
type Handle<Kind extends string> = { readonly [kind]: Kind };

export type TensorHandle = Handle<'Tensor'>;
export type ModuleHandle = Handle<'ScriptModule'>;
export type GeneratorHandle = Handle<'Generator'>;
export type EngineHandle = Handle<'Engine'>;

export type MappedFileHandle = Handle<'MappedFile'>;

/** The result of a method: a tensor, None, a number, a boolean, or a list or tuple of these. */
export type NativeResult = TensorHandle | null | number | boolean | NativeResult[];
/** A value of a Hugging Face config.json. */
export type ConfigValue = null | boolean | number | string | readonly number[] | readonly string[];

/** An input of a method: a tensor, a boolean, None, or a list or tuple of these. */
export type NativeInput = TensorHandle | boolean | null | NativeInput[];

/** The coefficients of a step of DDPM (Ho et al. 2020, algorithm 2). */
export interface DdpmCoefficients {
  /** The scale of classifier-free guidance, if the output has an unconditional half, which comes first. */
  readonly guidanceScale: number | undefined;
  /** x0 = (x * x_t - output * prediction) / divisor; undefined if the network predicts x0 itself. */
  readonly x0:
    | { readonly x: number; readonly output: number; readonly divisor: number }
    | undefined;
  /** x0 is clamped to ± this; undefined for no clamp. */
  readonly clip: number | undefined;
  /** Weights of x0 and x_t in the mean of the next x. */
  readonly mean: { readonly x0: number; readonly x: number };
  /** The standard deviation of the noise; undefined if it is learned, between the two bounds of its log variance. */
  readonly std: number | undefined;
  readonly logVarianceMin: number;
  readonly logVarianceMax: number;
}

export interface NativeAddon {
  version(): { libtorch: string; cpuCapability: string; kernels: string };
  /** Queries the NVIDIA driver. `version` is the newest CUDA that it supports, as 1000 * major + 10 * minor. */
  cudaDriver(): { present: boolean; version: number; reason: string };
  /** The CUDA devices that LibTorch can use: none until its CUDA library has been opened. */
  cudaDevices(): { name: string; totalMemory: number }[];
  /** Why this package's CUDA kernels cannot be used on a device: compiles them all for float32. Empty if they can. */
  cudaKernels(device: string): string;
  /** Apple's GPU. Metal recommends to use at most `totalMemory` bytes. */
  mpsDevice(): { usable: boolean; bfloat16: boolean; totalMemory: number };
  memory(device: string): { allocated: number; reserved: number; peak: number };
  trimMemory(): void;
  /** Opens libkarlo_cuda, after LibTorch's CUDA libraries. */
  cudaGraphsOpen(library: string): void;
  /** `reason`: why no more graphs are recorded, after one could not be; empty otherwise. */
  cudaGraphsStatistics(): {
    available: boolean;
    reason: string;
    graphs: number;
    replays: number;
  };
  /**
   * Ends the process with `status` without destroying native objects, if a call is running or `always`
   * is set. Otherwise does nothing.
   */
  processExit(status: number, always: boolean): void;

  engineCreate(threads: number): EngineHandle;
  /**
   * Rejects the promise of a pending call with ERR_KARLO_ABORTED. A running call continues, and its result is
   * dropped. Returns false if no such call is pending.
   */
  engineCancel(engine: EngineHandle, id: number): boolean;
  engineSetThreads(engine: EngineHandle, id: number, threads: number): Promise<void>;
  engineDispose(engine: EngineHandle, id: number): Promise<void>;

  moduleLoad(
    engine: EngineHandle,
    id: number,
    source: string | Uint8Array,
    device: string,
    dtype: Dtype | undefined,
  ): Promise<ModuleHandle>;
  moduleMethods(module: ModuleHandle): string[];
  moduleAttributes(
    engine: EngineHandle,
    id: number,
    module: ModuleHandle,
  ): Promise<Record<string, TensorHandle>>;
  moduleAssign(
    engine: EngineHandle,
    id: number,
    module: ModuleHandle,
    attributes: Record<string, TensorHandle>,
  ): Promise<void>;
  moduleRun(
    engine: EngineHandle,
    id: number,
    module: ModuleHandle,
    method: string,
    inputs: NativeInput[],
  ): Promise<NativeResult>;
  /** The bytes of a TorchScript file. */
  moduleSave(engine: EngineHandle, id: number, module: ModuleHandle): Promise<Buffer<ArrayBuffer>>;
  /**
   * A module whose weights are constants of its graphs and share memory with this one. Keeps all methods if
   * `methods` is undefined. The methods in `recorded` return a tensor, and are recorded as CUDA graphs.
   */
  moduleFreeze(
    engine: EngineHandle,
    id: number,
    module: ModuleHandle,
    methods: readonly string[] | undefined,
    recorded: readonly string[] | undefined,
  ): Promise<ModuleHandle>;
  moduleDispose(module: ModuleHandle): void;

  networkTrace(
    engine: EngineHandle,
    id: number,
    kind: string,
    config: Readonly<Record<string, ConfigValue>>,
    /** The methods to trace; all of them if the list is empty. */
    methods: readonly string[],
  ): Promise<{
    module: ModuleHandle;
    parameters: { name: string; shape: number[]; keepFloat32: boolean }[];
  }>;

  fileMap(path: string): MappedFileHandle;
  /** A tensor over bytes of the file, without a copy. Strides are in elements. */
  fileTensor(
    file: MappedFileHandle,
    offset: number,
    shape: readonly number[],
    strides: readonly number[],
    dtype: Dtype,
  ): TensorHandle;
  fileDispose(file: MappedFileHandle): void;
  /** The paths of mapped files of which pages could not be read, and were replaced by zeros. */
  lostFiles(): string[];

  generatorCreate(seed: number): GeneratorHandle;
  generatorRandn(generator: GeneratorHandle, shape: readonly number[]): TensorHandle;
  generatorGetState(generator: GeneratorHandle): TensorHandle;
  generatorSetState(generator: GeneratorHandle, state: TensorHandle): void;
  generatorDispose(generator: GeneratorHandle): void;

  /** Copies. A Uint16Array contains the bit patterns of 16-bit floats; every other conversion is by value. */
  tensorFrom(data: TypedArray, shape: readonly number[], dtype: Dtype): TensorHandle;
  /** Copies the elements, in row-major order, into an array of the dtype's type and of the exact length. */
  tensorCopyTo(tensor: TensorHandle, target: TypedArray): void;
  tensorInfo(tensor: TensorHandle): {
    shape: number[];
    strides: number[];
    dtype: Dtype;
    device: string;
  };
  tensorDispose(tensor: TensorHandle): void;
  tensorIsDisposed(tensor: TensorHandle): boolean;
  tensorTo(
    tensor: TensorHandle,
    device: string | undefined,
    dtype: Dtype | undefined,
  ): TensorHandle;
  /** Like `tensorTo`, on an engine's thread. The result is contiguous. */
  tensorConvert(
    engine: EngineHandle,
    id: number,
    tensor: TensorHandle,
    device: string | undefined,
    dtype: Dtype | undefined,
  ): Promise<TensorHandle>;
  tensorReshape(tensor: TensorHandle, shape: readonly number[]): TensorHandle;
  tensorPermute(tensor: TensorHandle, dimensions: readonly number[]): TensorHandle;
  tensorSlice(tensor: TensorHandle, dimension: number, start: number, end: number): TensorHandle;
  tensorCat(tensors: readonly TensorHandle[], dimension: number): TensorHandle;
  tensorAdd(tensor: TensorHandle, other: TensorHandle | number): TensorHandle;
  tensorSub(tensor: TensorHandle, other: TensorHandle | number): TensorHandle;
  tensorMul(tensor: TensorHandle, other: TensorHandle | number): TensorHandle;
  tensorDiv(tensor: TensorHandle, other: TensorHandle | number): TensorHandle;
  /** The operator karlo::ddpm_step: the next x, and x0. */
  ddpmStep(
    x: TensorHandle,
    output: TensorHandle,
    noise: TensorHandle | undefined,
    coefficients: DdpmCoefficients,
  ): [TensorHandle, TensorHandle];
  tensorLog(tensor: TensorHandle): TensorHandle;
  tensorSqrt(tensor: TensorHandle): TensorHandle;
  tensorExp(tensor: TensorHandle): TensorHandle;
  tensorRound(tensor: TensorHandle): TensorHandle;
  tensorClamp(tensor: TensorHandle, lowest: number, highest: number): TensorHandle;
  tensorResizeBicubic(tensor: TensorHandle, height: number, width: number): TensorHandle;
}

/** karlo.node itself. It does not link LibTorch; `libtorch` is the version that the addon was built for. */
export interface NativeLoader {
  readonly libtorch: string;
  open(path: string): void;
  /** Opens libraries on another thread. Stops silently at the first one that cannot be opened. */
  openAhead(...paths: readonly string[]): Promise<void>;
  /** The path of a library with this file name that the process has already loaded, if any. */
  loaded(name: string): string | undefined;
  openAddon(path: string): NativeAddon;
}
