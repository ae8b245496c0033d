import { once } from 'node:events';
import { canStartProcesses } from '../../util/permission.js';
import { invalidImage } from '../image-bytes.js';
import { decodingSeconds } from '../input-limits.js';
import { DecodingPool } from './pool.js';
import { decodingTasks, type OptionsOf, type ResultOf, type TaskName } from './tasks.js';

const pool = new DecodingPool();

/**
 * Runs a task on an image file, in a separate process: libvips cannot be interrupted, but a process can be ended.
 *
 * If Node.js forbids processes (`--permission` without `--allow-child-process`), the task runs in this process. There,
 * an abort also returns at once, but libvips continues until it is done.
 * @param bytes of an image file in an accepted format
 * @param signal aborting it ends the task
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT, also for an image that takes too long; or the signal's reason
 */
export async function runDecoding<N extends TaskName>(
  task: N,
  bytes: Buffer,
  options: OptionsOf<N>,
  signal: AbortSignal = new AbortController().signal,
): Promise<ResultOf<N>> {
  signal.throwIfAborted();
  if (canStartProcesses()) {
    return pool.use(signal, (child) =>
      withDeadline(options, signal, (either) =>
        child.run({ task, options, size: bytes.length }, bytes, either),
      ),
    ) as Promise<ResultOf<N>>;
  }
  return withDeadline(options, signal, (either) =>
    unlessAborted(either, decodingTasks[task](bytes, options as never) as Promise<ResultOf<N>>),
  );
}

async function withDeadline<T>(
  { label, limits }: OptionsOf<TaskName>,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const seconds = decodingSeconds(limits);
  const deadline = AbortSignal.timeout(1000 * seconds);
  try {
    return await work(AbortSignal.any([signal, deadline]));
  } catch (error) {
    if (error !== deadline.reason) throw error;
    throw invalidImage(label, `it takes longer than ${seconds} s to decode. Resize it first`);
  }
}

async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const settled = new AbortController();
  const aborted = once(signal, 'abort', settled).then(() => Promise.reject(signal.reason));
  try {
    return await Promise.race([work, aborted]);
  } finally {
    settled.abort();
  }
}
