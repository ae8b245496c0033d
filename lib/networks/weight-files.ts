import { type BigIntStats, statSync } from 'node:fs';
import { KarloError } from '../errors.js';
import { lostFiles } from '../torch/mapped-file.js';

/** What changes if a file is overwritten, truncated or replaced. */
type FileState = Pick<BigIntStats, 'size' | 'mtimeNs' | 'ino'>;

/**
 * The files of a loaded model. Weights can be mapped, so that a change of their file changes the model.
 * What a truncated file no longer contains is read as zeros.
 */
export class WeightFiles {
  readonly #states: ReadonlyMap<string, FileState>;

  private constructor(states: ReadonlyMap<string, FileState>) {
    this.#states = states;
  }

  /** Records the files as they are. */
  static record(paths: readonly string[]): WeightFiles {
    const states = new Map<string, FileState>();
    for (const path of new Set(paths)) {
      const state = stateOf(path);
      if (state) states.set(path, state);
    }
    return new WeightFiles(states);
  }

  /**
   * Checks that no file was overwritten, truncated or replaced. A file may have been removed: what is
   * mapped stays readable. Results are valid if the files are unchanged before and after the work.
   * Synchronous, so that calls keep their order; it takes microseconds.
   * @throws {KarloError} ERR_KARLO_MODEL_CORRUPT
   */
  requireUnchanged(): void {
    const lost = lostFiles();
    for (const [path, before] of this.#states) {
      const now = stateOf(path);
      const change =
        (now && describeChange(before, now)) ??
        (lost.includes(path) ? 'a part of it could not be read' : undefined);
      if (change) throw changedFile(path, change);
    }
  }
}

/** The state of a file; undefined if it was removed, or cannot be reached. */
function stateOf(path: string): FileState | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined;
  }
}

function describeChange(before: FileState, now: FileState): string | undefined {
  if (now.ino !== before.ino) return 'it was replaced by another file';
  if (now.size !== before.size) return `its size changed from ${before.size} to ${now.size} bytes`;
  return now.mtimeNs === before.mtimeNs ? undefined : 'it was written to';
}

function changedFile(path: string, change: string): KarloError {
  const advice = 'Load the model again, and change its files only while no process uses them';
  const message = `Expected the weights that were loaded in ${path} but ${change}. ${advice}`;
  return new KarloError('ERR_KARLO_MODEL_CORRUPT', message);
}
