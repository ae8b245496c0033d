import { access } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import { expected, guarded, guardedAsync, KarloError, type PublicFunction } from '../errors.js';
import { knownOptions, object } from '../options/validate.js';
import { hrefOf } from '../util/realms.js';
import type { ModuleHandle, NativeInput, NativeResult, TensorHandle } from './addon-types.js';
import { openDevice } from './device.js';
import type { Dtype } from './dtype.js';
import { type CallOptions, defaultEngine, type Engine, engineHandleOf, submit } from './engine.js';
import { addon } from './load.js';
import { handleOf, type Tensor, wrapTensor } from './tensor.js';

/** Wraps a handle returned by the addon. */
export let wrapModule: (handle: ModuleHandle, engine: Engine, device: string) => ScriptModule;

/** An input of a method: a tensor, a boolean, an array for a list or tuple of these, or null for None. */
export type ScriptInput = Tensor | boolean | null | readonly ScriptInput[];
/** The result of a method: lists and tuples are arrays, None is null. */
export type ScriptOutput = Tensor | null | number | boolean | ScriptOutput[];

export interface LoadOptions extends CallOptions {
  /** The engine that runs the module; a shared one by default. */
  engine?: Engine | undefined;
  /** `cpu` (default), `cuda`, `cuda:N`, `mps`, or `auto`: the first CUDA device if there is one, else the CPU. */
  device?: string | undefined;
  /** Converts floating-point parameters and buffers to this dtype. By default they are not converted. */
  dtype?: Dtype | undefined;
}

/** Options of `ScriptModule.freeze`. */
export interface FreezeOptions {
  /**
   * Methods that a loop calls, which return a tensor. On a CUDA device, their fourth call with inputs of the same
   * shapes and dtypes is recorded as a CUDA graph, which later calls replay. Default none.
   */
  cudaGraphs?: readonly string[] | undefined;
}

/**
 * A TorchScript module. A TorchScript graph is a program, which can read and write files and loop for ever:
 * load only files that you would run.
 *
 * Calls run on the engine's thread. They reject with ERR_KARLO_NATIVE and LibTorch's message if the
 * graph fails, and with ERR_KARLO_OUT_OF_MEMORY if memory runs out.
 */
export class ScriptModule implements Disposable {
  readonly #handle: ModuleHandle;
  readonly #engine: Engine;
  #device: string;

  private constructor(handle: ModuleHandle, engine: Engine, device: string) {
    this.#handle = handle;
    this.#engine = engine;
    this.#device = device;
  }

  /** The device that the module is on: `cpu`, `cuda:N` or `mps`. It is that of the tensors that were assigned last. */
  get device(): string {
    return this.#device;
  }

  static {
    wrapModule = (handle, engine, device) => new ScriptModule(handle, engine, device);
  }

  /**
   * Loads a module.
   * @param source a path, a `file:` URL, or the bytes of a TorchScript file
   * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND; ERR_KARLO_MODEL_CORRUPT, also for source that nests
   *   more than 100 levels deep; ERR_KARLO_DEVICE_UNAVAILABLE
   */
  static load(source: string | URL | Uint8Array, options: LoadOptions = {}): Promise<ScriptModule> {
    return guardedAsync(ScriptModule.load, async () => {
      knownOptions(options, ['engine', 'device', 'dtype', 'signal'], 'options');
      const { engine = defaultEngine(), device = 'cpu', dtype } = options;
      const place = openDevice(device);
      const origin = await readable(source);
      const handle = await submit(engine, ScriptModule.load, options, (id) =>
        addon().moduleLoad(engineHandleOf(engine), id, origin, place, dtype),
      );
      return new ScriptModule(handle, engine, place);
    });
  }

  /** The names of the module's methods. */
  methods(): string[] {
    return guarded(() => addon().moduleMethods(this.#handle));
  }

  /** The module's tensors (parameters, buffers, attributes) by dotted name. They share memory with the module. */
  async attributes(): Promise<Record<string, Tensor>> {
    const handles = await this.#submit(this.attributes, {}, (engine, id) =>
      addon().moduleAttributes(engine, id, this.#handle),
    );
    return Object.fromEntries(
      Object.entries(handles).map(([name, handle]) => [name, wrapTensor(handle)]),
    );
  }

  /**
   * Replaces attributes by dotted name: all of them, or none if a name is unknown. The new tensors may
   * have another shape, dtype or device; they share memory with the module.
   */
  async assign(attributes: Readonly<Record<string, Tensor>>): Promise<void> {
    await this.#submit(this.assign, {}, (engine, id) => {
      const handles: Record<string, TensorHandle> = Object.fromEntries(
        Object.entries(object(attributes, 'attributes')).map(([name, tensor]) => [
          name,
          handleOf(tensor, `attributes.${name}`),
        ]),
      );
      return addon().moduleAssign(engine, id, this.#handle, handles);
    });
    this.#device = Object.values(attributes)[0]?.device ?? this.#device;
  }

  /**
   * Runs a method on the engine's thread. Inputs may be disposed as soon as this call returns. Inputs at the end
   * that have a default may be left out. The type of the result depends on the method:
   * `run<Tensor<'float32'>>('forward', [x])`.
   */
  async run<Output extends ScriptOutput = ScriptOutput>(
    method: string,
    inputs: readonly ScriptInput[] = [],
    options: CallOptions = {},
  ): Promise<Output> {
    const result = await this.#submit(this.run, options, (engine, id) => {
      if (!Array.isArray(inputs)) throw expected('array of tensors', 'inputs', inputs);
      const natives = inputs.map((input, i) => toNative(input, `inputs[${i}]`));
      return addon().moduleRun(engine, id, this.#handle, method, natives);
    });
    return fromNative(result) as Output;
  }

  /** Serializes the module to the bytes of a TorchScript file. */
  save(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#submit(this.save, {}, (engine, id) =>
      addon().moduleSave(engine, id, this.#handle),
    );
  }

  /**
   * Returns a frozen copy, which runs faster: its weights are constants of its graphs. It shares memory
   * with this module and has no attributes to assign.
   * @param methods the methods to keep; all of them by default
   */
  async freeze(methods?: readonly string[], options: FreezeOptions = {}): Promise<ScriptModule> {
    const handle = await this.#submit(this.freeze, {}, (engine, id) => {
      const { cudaGraphs } = knownOptions(options, ['cudaGraphs'], 'options') as FreezeOptions;
      return addon().moduleFreeze(engine, id, this.#handle, methods, cudaGraphs);
    });
    return new ScriptModule(handle, this.#engine, this.device);
  }

  /** Releases this handle. Idempotent; calls in flight complete normally. */
  dispose(): void {
    guarded(() => addon().moduleDispose(this.#handle));
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #submit<T>(
    entry: PublicFunction,
    options: CallOptions,
    call: (engine: ReturnType<typeof engineHandleOf>, id: number) => Promise<T>,
  ): Promise<T> {
    return submit(this.#engine, entry, options, (id) => call(engineHandleOf(this.#engine), id));
  }
}

function pathOf(source: string | URL): string {
  const url = hrefOf(source);
  if (url?.startsWith('file:')) return fileURLToPath(url);
  if (typeof source === 'string') return source;
  throw expected('path, file: URL or Uint8Array', 'source', source);
}

async function readable(source: string | URL | Uint8Array): Promise<string | Uint8Array> {
  if (types.isUint8Array(source)) return source;
  const path = pathOf(source);
  try {
    await access(path);
  } catch (cause) {
    const message = `Expected a readable TorchScript file but ${path} cannot be opened`;
    throw new KarloError('ERR_KARLO_MODEL_NOT_FOUND', message, { cause });
  }
  return path;
}

function toNative(input: ScriptInput, name: string, depth = 0): NativeInput {
  if (input === null || typeof input === 'boolean') return input;
  if (!Array.isArray(input)) return handleOf(input, name);
  // An array may contain itself.
  if (depth === 16) throw expected('arrays nested at most 16 deep', 'inputs', input);
  return input.map((item, i) => toNative(item, `${name}[${i}]`, depth + 1));
}

function fromNative(result: NativeResult): ScriptOutput {
  if (Array.isArray(result)) return result.map(fromNative);
  if (typeof result === 'object' && result !== null) return wrapTensor(result);
  return result;
}
