import {
  expected,
  guarded,
  guardedAsync,
  type KarloError,
  type PublicFunction,
} from '../errors.js';
import { knownOptions, object, signal as validSignal } from '../options/validate.js';
import { defaultThreads } from '../util/processors.js';
import type { EngineHandle } from './addon-types.js';
import { openDevice } from './device.js';
import type { Dtype } from './dtype.js';
import { addon } from './load.js';
import { handleOf, type Tensor, wrapTensor } from './tensor.js';

/** Options of an asynchronous call. */
export interface CallOptions {
  /**
   * Rejects the call at once, with the signal's reason. A queued call is removed from the queue. A running
   * one cannot be interrupted: its thread computes to its end, and the result is dropped.
   */
  signal?: AbortSignal | undefined;
}

let lastId = 0;

/** The addon's handle of an engine. Throws ERR_KARLO_INVALID_ARGUMENT for any other value. */
export let engineHandleOf: (engine: unknown) => EngineHandle;

/**
 * An inference thread with its own OpenMP threads. Calls run one at a time, in the order in which they
 * were made, and do not block Node's event loop.
 */
export class Engine implements AsyncDisposable {
  readonly #handle: EngineHandle;
  #disposal: Promise<void> | undefined;

  /** @param options.threads 1 to 1024; by default `OMP_NUM_THREADS`, or the number of available processors */
  constructor(options: { threads?: number | undefined } = {}) {
    knownOptions(options, ['threads'], 'options');
    const { threads = defaultThreads().threads } = options;
    this.#handle = guarded(() => addon().engineCreate(threads));
  }

  static {
    engineHandleOf = (engine) => {
      if (typeof engine !== 'object' || engine === null || !(#handle in engine)) {
        throw expected('Engine', 'engine', engine);
      }
      return engine.#handle;
    };
  }

  /** Sets the number of threads for subsequent calls, 1 to 1024. */
  setThreads(threads: number): Promise<void> {
    return submit(this, this.setThreads, {}, (id) =>
      addon().engineSetThreads(this.#handle, id, threads),
    );
  }

  /**
   * Waits for calls already made, then ends the thread. Idempotent. An aborted call that is still running is
   * waited for, too.
   */
  dispose(): Promise<void> {
    this.#disposal ??= guardedAsync(this.dispose, async () =>
      addon().engineDispose(this.#handle, nextId()),
    );
    return this.#disposal;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

function nextId(): number {
  lastId += 1;
  return lastId;
}

/** Makes one asynchronous call to the addon, with an id by which it can be cancelled. */
export function submit<T>(
  engine: Engine,
  entry: PublicFunction,
  options: CallOptions,
  call: (id: number) => Promise<T>,
): Promise<T> {
  return guardedAsync(entry, async () => {
    const signal = validSignal(object(options, 'options').signal, 'signal');
    if (signal === undefined) return call(nextId());
    signal.throwIfAborted();
    const id = nextId();
    const cancel = () => addon().engineCancel(engineHandleOf(engine), id);
    signal.addEventListener('abort', cancel, { once: true });
    try {
      const result = await call(id);
      signal.throwIfAborted();
      return result;
    } catch (error) {
      if ((error as Partial<KarloError>).code === 'ERR_KARLO_ABORTED') signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  });
}

/**
 * `tensor.to(target)` on the engine's thread, for tensors that are too large to convert on the event
 * loop. The result is contiguous. Shares memory if nothing changes.
 */
export async function convert<D extends Dtype>(
  engine: Engine,
  tensor: Tensor,
  target: { device?: string; dtype?: D },
  options: CallOptions = {},
): Promise<Tensor<D>> {
  const handle = await submit(engine, convert, options, (id) =>
    addon().tensorConvert(
      engineHandleOf(engine),
      id,
      handleOf(tensor, 'tensor'),
      target.device === undefined ? undefined : openDevice(target.device),
      target.dtype,
    ),
  );
  return wrapTensor(handle);
}

let sharedEngine: Engine | undefined;

/** The engine of modules that are loaded without one. It is never disposed and does not keep the process alive. */
export function defaultEngine(): Engine {
  sharedEngine ??= new Engine();
  return sharedEngine;
}

/** Sets the number of threads of the shared engine, 1 to 1024. */
export function setThreads(threads: number): Promise<void> {
  return defaultEngine().setThreads(threads);
}
