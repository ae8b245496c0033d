// The whole native contract: each function that native/addon.cc registers, as TypeScript sees it.
// Handles are opaque objects that own a native object; the addon checks their kind on every call.
// Every function throws an Error with a `code` of KarloErrorCode; nothing here is public.

import type { Dtype } from './dtype.js';

declare const kind: unique symbol;
type Handle<Kind extends string> = { readonly [kind]: Kind };

export type TensorHandle = Handle<'Tensor'>;
export type ModuleHandle = Handle<'ScriptModule'>;
export type GeneratorHandle = Handle<'Generator'>;
export type EngineHandle = Handle<'Engine'>;

export type MappedFileHandle = Handle<'MappedFile'>;

/** An array that a tensor is made of. */
export type TypedArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/** A result of a method: a tensor, none, a number, or a list or tuple of these. */
export type NativeResult = TensorHandle | null | number | boolean | NativeResult[];
/** A value of a Hugging Face config.json. */
export type ConfigValue = null | boolean | number | string | readonly number[] | readonly string[];

/** An input of a method: a tensor, none, or a list or tuple of these. */
export type NativeInput = TensorHandle | null | NativeInput[];

export interface NativeAddon {
  version(): { libtorch: string; cpuCapability: string };
  /** Asks NVIDIA's driver. `version` is the newest CUDA that it serves, 1000 * major + 10 * minor. */
  cudaDriver(): { present: boolean; version: number; reason: string };
  /** The devices that LibTorch can use: none before its CUDA library is open. */
  cudaDevices(): { name: string; totalMemory: number }[];
  memory(device: string): { allocated: number; reserved: number; peak: number };
  trimMemory(): void;
  /** What `exit` says of a process: it ends at once while a call runs, or always, and destroys no native object. */
  processExit(status: number, always: boolean): void;

  engineCreate(threads: number): EngineHandle;
  /** True if the call was still queued: its promise is then rejected with ERR_KARLO_ABORTED. */
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
  /** The bytes of its file. */
  moduleSave(engine: EngineHandle, id: number, module: ModuleHandle): Promise<Buffer>;
  /** A module whose weights are constants of its graphs; it shares them with this one. All methods, where none is named. */
  moduleFreeze(
    engine: EngineHandle,
    id: number,
    module: ModuleHandle,
    methods: readonly string[] | undefined,
  ): Promise<ModuleHandle>;
  moduleDispose(module: ModuleHandle): void;

  networkTrace(
    engine: EngineHandle,
    id: number,
    kind: string,
    config: Readonly<Record<string, ConfigValue>>,
    /** Those to be recorded; all of them, where none is named. */
    methods: readonly string[],
  ): Promise<{
    module: ModuleHandle;
    parameters: { name: string; shape: number[]; keepFloat32: boolean }[];
    ignored: string[];
  }>;

  fileMap(path: string): MappedFileHandle;
  /** A tensor over bytes of the file, without a copy. Strides count elements. */
  fileTensor(
    file: MappedFileHandle,
    offset: number,
    shape: readonly number[],
    strides: readonly number[],
    dtype: Dtype,
  ): TensorHandle;
  fileDispose(file: MappedFileHandle): void;

  generatorCreate(seed: number): GeneratorHandle;
  generatorRandn(generator: GeneratorHandle, shape: readonly number[]): TensorHandle;
  generatorGetState(generator: GeneratorHandle): TensorHandle;
  generatorSetState(generator: GeneratorHandle, state: TensorHandle): void;
  generatorDispose(generator: GeneratorHandle): void;

  /** Copies. A Uint16Array gives the bits of a 16-bit float; other conversions are by value. */
  tensorFrom(data: TypedArray, shape: readonly number[], dtype: Dtype): TensorHandle;
  /** Copies the elements in row-major order into an array of the dtype's kind and exact length. */
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
  /** The same on an engine's thread; what comes is contiguous. */
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
  tensorExp(tensor: TensorHandle): TensorHandle;
  tensorRound(tensor: TensorHandle): TensorHandle;
  tensorClamp(tensor: TensorHandle, lowest: number, highest: number): TensorHandle;
  tensorResizeBicubic(tensor: TensorHandle, height: number, width: number): TensorHandle;
}

/** karlo.node itself: it links no LibTorch, and says for which version the addon was built. */
export interface NativeLoader {
  readonly libtorch: string;
  open(path: string): void;
  /** Opens libraries on another thread, as far as they can be opened. */
  openAhead(...paths: readonly string[]): Promise<void>;
  /** Where the process loaded a library of this file name from, if it has. */
  loaded(name: string): string | undefined;
  openAddon(path: string): NativeAddon;
}
