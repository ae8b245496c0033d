import type { SafetyGuard } from './safety-guard.js';
import type { GenerationEvent, StepEvent } from './task.js';

/**
 * Emits the steps of a batch. Previews are checked before, those of one step at a time: steps that are taken in the
 * meantime replace each other.
 */
export class StepReporter {
  readonly #guard: SafetyGuard;
  readonly #emit: (event: GenerationEvent) => void;
  #next: StepEvent | undefined;
  #checking: Promise<void> | undefined;

  constructor(guard: SafetyGuard, emit: (event: GenerationEvent) => void) {
    this.#guard = guard;
    this.#emit = emit;
  }

  report(event: StepEvent): void {
    const isPlain = event.previews === undefined || !this.#guard.checksPreviews;
    if (isPlain && this.#checking === undefined) {
      this.#emit(event);
      return;
    }
    this.#next = event;
    this.#checking ??= this.#checkAll();
    // `end` throws it.
    this.#checking.catch(() => {});
  }

  /** Waits until every step is emitted. */
  async end(): Promise<void> {
    await this.#checking;
  }

  async #checkAll(): Promise<void> {
    for (let event = this.#take(); event !== undefined; event = this.#take()) {
      const { previews } = event;
      this.#emit({
        ...event,
        ...(previews && { previews: await this.#guard.checkPreviews(previews) }),
      });
    }
    this.#checking = undefined;
  }

  #take(): StepEvent | undefined {
    const event = this.#next;
    this.#next = undefined;
    return event;
  }
}
