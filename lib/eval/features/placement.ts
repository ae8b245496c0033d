import { openDevice } from '../../torch/device.js';
import { Engine } from '../../torch/engine.js';

/** Where a network of an evaluation runs. */
export interface EvaluationPlacement {
  /** `auto` (default), `cpu`, `cuda`, `cuda:N` or `mps`. */
  readonly device?: string | undefined;
  /** Threads of the CPU, by default as `Karlo.load`. */
  readonly threads?: number | undefined;
  /** Rejects the loading. */
  readonly signal?: AbortSignal | undefined;
}

/** Loads a network on a separate engine, which is disposed if loading fails. */
export async function onEngine<T>(
  { device = 'auto', threads }: EvaluationPlacement,
  load: (engine: Engine, device: string) => Promise<T>,
): Promise<T> {
  const opened = openDevice(device);
  const engine = new Engine({ threads });
  try {
    return await load(engine, opened);
  } catch (error) {
    await engine.dispose();
    throw error;
  }
}
