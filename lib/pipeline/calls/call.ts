import type { Cascade } from '../cascade.js';
import type { MemoryRequest } from '../require-memory.js';
import type { CheckedSafetyOptions } from '../safety-guard.js';
import type { CallSession } from '../session.js';
import type { Generation } from '../task.js';

/** What a call generates. */
export type CallResult = Omit<Generation, 'verdicts' | 'timings'>;

/** A call with checked options, for any result. */
export interface Computation<Result> {
  readonly signal: AbortSignal | undefined;
  /** How it is checked, where that differs from the model's settings. */
  readonly safety: CheckedSafetyOptions;
  /** What it takes. Its parts run one after another. */
  readonly memory: readonly MemoryRequest[];
  /**
   * Checks, before any work, that the model can run the call.
   * @throws {KarloError}
   */
  check(cascade: Cascade): void;
  run(session: CallSession): Promise<Result>;
}

/** A call that generates images. */
export type GenerationCall = Computation<CallResult>;
