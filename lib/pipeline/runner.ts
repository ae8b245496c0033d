import { KarloError } from '../errors.js';
import type { Provenance } from '../images/recipe.js';
import type { Model } from '../layouts/index.js';
import type { Placement } from '../networks/placement.js';
import type { WeightFiles } from '../networks/weight-files.js';
import type { OptionLabeler } from '../options/validate.js';
import type { SafetyChecker } from '../safety/checker.js';
import { trimMemory } from '../torch/device.js';
import { explainedAsync } from '../util/explain.js';
import { BatchQueue } from './batch-queue.js';
import { type ImageBatchRequest, runBatch } from './batching.js';
import type { Computation, GenerationCall } from './calls/call.js';
import type { BatchOutput, Cascade } from './cascade.js';
import type { Estimator } from './estimate.js';
import { withMemoryAdvice } from './memory-advice.js';
import type { MemoryPlan } from './plan-memory.js';
import { type MemoryRequest, requireMemory } from './require-memory.js';
import { mergeSafety, SafetyGuard, type SafetySettings } from './safety-guard.js';
import { CallSession } from './session.js';
import { type GenerationEvent, GenerationTask } from './task.js';

/** What a runner works with. It owns the cascade and the engine. */
export interface RunnerOptions extends Placement, Omit<MemoryPlan, 'largestBatch'> {
  readonly model: Model;
  readonly cascade: Cascade;
  readonly estimator: Estimator;
  /** The files of the weights, checked before and after each batch. */
  readonly weights: WeightFiles;
  /** How messages refer to an option. */
  readonly label: OptionLabeler;
  provenance(): Promise<Provenance>;
  /** How calls are checked that do not say so themselves. */
  readonly safety: SafetySettings;
  /** The safety checker that was loaded with the model, and is disposed with it. */
  readonly checker: SafetyChecker | undefined;
}

/** Runs calls on a loaded model: encodes their inputs, batches them, and ends them on disposal. */
export class GenerationRunner {
  readonly #options: RunnerOptions;
  readonly #queue: BatchQueue<ImageBatchRequest, BatchOutput<unknown>>;
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

  /** @throws {KarloError} ERR_KARLO_OUT_OF_MEMORY if the call cannot fit into the available memory */
  requireMemory(request: MemoryRequest): void {
    requireMemory(this.#options.model, request, this.#options);
  }

  /**
   * Starts a call that generates images.
   * @throws {KarloError} ERR_KARLO_DISPOSED, what the call checks, ERR_KARLO_OUT_OF_MEMORY if it cannot fit, or the
   *   reason of a signal that has aborted
   */
  start(call: GenerationCall): GenerationTask {
    const either = this.#check(call);
    const task = new GenerationTask(async (emit, signal) => {
      const run = () => this.#run(call, emit, signal);
      const { result, guard, seconds, total } = await explainedAsync(run);
      const { verdicts, warnings } = guard;
      const timings = { ...seconds, total };
      return { ...result, verdicts, warnings: [...result.warnings, ...warnings], timings };
    }, either);
    this.#keep(task);
    return task;
  }

  /** Runs a call for another result. It throws as `start` does. */
  async compute<Result>(call: Computation<Result>): Promise<Result> {
    const either = this.#check(call);
    const running = explainedAsync(() => this.#run(call, () => {}, either));
    this.#keep(running);
    return (await running).result;
  }

  /** Checks a call before any work. @returns the signal that ends it, on disposal, too */
  #check({ check, signal, memory }: Computation<unknown>): AbortSignal {
    this.throwIfDisposed();
    check(this.#options.cascade);
    signal?.throwIfAborted();
    for (const request of memory) this.requireMemory(request);
    return AbortSignal.any([...(signal ? [signal] : []), this.#disposed.signal]);
  }

  /** Waits for a call on disposal. */
  #keep(running: PromiseLike<unknown>): void {
    const ended = Promise.allSettled([running]);
    this.#running.add(ended);
    ended.then(() => this.#running.delete(ended));
  }

  async #run<Result>(
    call: Computation<Result>,
    emit: (event: GenerationEvent) => void,
    signal: AbortSignal,
  ) {
    const { cascade, estimator, weights } = this.#options;
    weights.requireUnchanged();
    const start = performance.now();
    // Starts to hash the weights, which takes a while, before the first recipe needs the hash.
    const provenance = this.#options.provenance();
    provenance.catch(() => {});
    const guard = new SafetyGuard(mergeSafety(call.safety, this.#options.safety), signal);
    const session = new CallSession({
      ...{ cascade, estimator, signal, provenance, guard, emit },
      expect: (work) => this.#queue.expect(work.catch((error) => this.#throwWithAdvice(error, 1))),
      submit: (request) => this.#queue.add(request) as Promise<BatchOutput<never>>,
    });
    const result = await call.run(session);
    return { result, guard, seconds: session.seconds, total: (performance.now() - start) / 1000 };
  }

  async #runBatch(
    requests: readonly ImageBatchRequest[],
    signal: AbortSignal,
  ): Promise<BatchOutput<unknown>[]> {
    const { cascade, estimator, weights } = this.#options;
    weights.requireUnchanged();
    const [{ capacity, stages }] = requests as [ImageBatchRequest];
    try {
      const outputs = await runBatch(cascade, requests, signal);
      weights.requireUnchanged();
      estimator.record(stages, capacity, (outputs[0] as BatchOutput<unknown>).seconds);
      return outputs;
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
    await this.#options.checker?.dispose();
    await this.#options.engine.dispose();
    trimMemory();
  }
}
