import type { Cascade } from '../cascade.js';
import type { MemoryRequest } from '../require-memory.js';
import type { CallSession } from '../session.js';
import type { Generation } from '../task.js';

/** What a call generates. */
export type CallResult = Omit<Generation, 'timings'>;

/** A call with checked options, for any result. */
export interface Computation<Result> {
  readonly signal: AbortSignal | undefined;
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
