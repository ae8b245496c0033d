import { KarloError } from '../errors.js';
import type { Provenance } from '../images/recipe.js';
import type { Placement } from '../networks/placement.js';
import type { ResidencyMode } from '../options/descriptions.js';
import type { OptionLabeler } from '../options/validate.js';
import { trimMemory } from '../torch/device.js';
import type { WeightFiles } from '../weights/weight-files.js';
import { BatchQueue } from './batch-queue.js';
import { type BatchResult, type ImageBatchRequest, runBatch } from './batching.js';
import { disposeConditions, type EncodedCall, type GenerationCall } from './calls/call.js';
import type { Cascade } from './cascade.js';
import type { Estimator } from './estimate.js';
import { generate } from './generate.js';
import { withMemoryAdvice } from './memory-advice.js';
import { type Generation, type GenerationEvent, GenerationTask } from './task.js';

/** What a runner works with. It owns the cascade and the engine. */
export interface RunnerOptions extends Placement {
  readonly cascade: Cascade;
  readonly estimator: Estimator;
  readonly residency: ResidencyMode;
  /** The files of the weights, checked before each use. */
  readonly weights: WeightFiles;
  /** How messages refer to an option. */
  readonly label: OptionLabeler;
  provenance(): Promise<Provenance>;
}

/** Runs calls on a loaded model: encodes their inputs, batches them, and ends them on disposal. */
export class GenerationRunner {
  readonly #options: RunnerOptions;
  readonly #queue: BatchQueue<ImageBatchRequest, BatchResult>;
  readonly #running = new Set<Promise<unknown>>();
  readonly #disposed = new AbortController();
  #disposal: Promise<void> | undefined;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#queue = new BatchQueue((requests, signal) => this.#runBatch(requests, signal));
  }

  /** @throws {KarloError} ERR_KARLO_DISPOSED */
  throwIfDisposed(): void {
    this.#disposed.signal.throwIfAborted();
  }

  /**
   * Starts a call.
   * @throws {KarloError} ERR_KARLO_DISPOSED, or the reason of a signal that has aborted
   */
  start(call: GenerationCall): GenerationTask {
    this.throwIfDisposed();
    const { signal } = call.settings;
    signal?.throwIfAborted();
    const either = AbortSignal.any([...(signal ? [signal] : []), this.#disposed.signal]);
    const task = new GenerationTask((emit, signal) => this.#run(call, emit, signal), either);
    const ended = Promise.allSettled([task]);
    this.#running.add(ended);
    ended.then(() => this.#running.delete(ended));
    return task;
  }

  async #run(
    call: GenerationCall,
    emit: (event: GenerationEvent) => void,
    signal: AbortSignal,
  ): Promise<Generation> {
    this.#options.weights.requireUnchanged();
    const { task, settings } = call;
    const start = performance.now();
    const elapsed = () => (performance.now() - start) / 1000;
    // Starts to hash the weights, which takes a while, before the first recipe needs the hash.
    const provenance = this.#options.provenance();
    provenance.catch(() => {});
    const { conditions, warnings, recipe } = await this.#encode(call, signal);
    try {
      const encode = elapsed();
      const { images, seeds, seconds } = await generate(this.#queue, {
        task,
        settings,
        conditions,
        signal,
        emit,
        recipeOf: async (job) => recipe(job, await provenance),
      });
      return { images, seeds, warnings, timings: { encode, ...seconds, total: elapsed() } };
    } finally {
      disposeConditions(conditions);
    }
  }

  #encode(call: GenerationCall, signal: AbortSignal): Promise<EncodedCall> {
    const encoded = call.encode(this.#options.cascade, signal);
    return this.#queue.expect(encoded.catch((error) => this.#throwWithAdvice(error, 1)));
  }

  async #runBatch(
    requests: readonly ImageBatchRequest[],
    signal: AbortSignal,
  ): Promise<BatchResult[]> {
    const { cascade, estimator, weights } = this.#options;
    weights.requireUnchanged();
    const [{ capacity, stages }] = requests as [ImageBatchRequest];
    try {
      const results = await runBatch(cascade, requests, signal);
      estimator.record(stages, capacity, (results[0] as BatchResult).seconds);
      return results;
    } catch (error) {
      return this.#throwWithAdvice(error, capacity);
    }
  }

  #throwWithAdvice(error: unknown, batchSize: number): never {
    const { dtype, device, residency, label } = this.#options;
    throw withMemoryAdvice(error, { batchSize, dtype, device, residency, label });
  }

  /** Aborts the calls in progress, waits for them to end, and frees the model. Idempotent. */
  dispose(): Promise<void> {
    this.#disposed.abort(new KarloError('ERR_KARLO_DISPOSED', 'The model was disposed'));
    this.#disposal ??= this.#free();
    return this.#disposal;
  }

  async #free(): Promise<void> {
    await Promise.all(this.#running);
    await this.#queue.idle();
    await this.#options.cascade[Symbol.asyncDispose]();
    await this.#options.engine.dispose();
    trimMemory();
  }
}
