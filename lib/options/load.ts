import { availableParallelism } from 'node:os';
import { expected } from '../errors.js';
import type { KarloOptions } from '../karlo.js';
import type { WeightDtype } from '../networks/weights.js';
import { deviceName } from '../torch/device.js';
import { asWritten, bag, integer, type Naming, named, oneOf, signal } from './validate.js';

/** `Karlo.load`'s options, checked, but for what hangs on the machine. */
export interface LoadOptions extends Pick<KarloOptions, 'onProgress' | 'signal'> {
  readonly model: string;
  /** `auto` among them. */
  readonly device: string;
  /** `auto` where it has to be measured. */
  readonly dtype: 'auto' | WeightDtype;
  readonly threads: number;
  /** Undefined where a memory budget, or nothing, decides. */
  readonly residency: 'resident' | 'staged' | undefined;
  /** Bytes. */
  readonly memoryBudget: number | undefined;
}

const known: Readonly<Record<keyof KarloOptions, true>> = {
  model: true,
  device: true,
  dtype: true,
  threads: true,
  residency: true,
  memoryBudget: true,
  onProgress: true,
  signal: true,
};
const dtypes = ['auto', 'float32', 'bfloat16', 'float16'] as const;
/** OpenMP makes no larger team. */
const mostThreads = 1024;

/**
 * Checks the options of `Karlo.load` and fills in what they leave out.
 * @param naming how messages name an option; as in a program by default
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
 */
export function resolveLoad(options: unknown, naming: Naming = asWritten): LoadOptions {
  const scope = { path: '', naming };
  const name = (option: string) => named(scope, option);
  const given = bag(options, Object.keys(known), name('options'), scope);
  const { model = 'karlo-tiny', device: place = 'auto', onProgress } = given;
  if (typeof model !== 'string' || model === '') {
    throw expected('a name or the path of a folder', name('model'), model);
  }
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw expected('function', name('onProgress'), onProgress);
  }
  const device = deviceName(place, name('device'));
  const dtype = oneOf(given.dtype, dtypes, name('dtype'), 'auto');
  if (device === 'cpu') checkDtypeOnCpu(dtype, naming);
  const threads = integer(given.threads, [1, mostThreads], name('threads'), availableParallelism());
  const residencies = ['resident', 'staged'] as const;
  const residency = oneOf(given.residency, residencies, name('residency'), undefined);
  const memoryBudget = budgetOf(given.memoryBudget, name('memoryBudget'));
  const ends = signal(given.signal, name('signal'));
  return {
    ...{ model, threads, residency, memoryBudget, device, dtype },
    ...(onProgress && { onProgress: onProgress as NonNullable<KarloOptions['onProgress']> }),
    ...(ends && { signal: ends }),
  };
}

/** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for float16, which only CUDA has */
export function checkDtypeOnCpu(dtype: LoadOptions['dtype'], naming: Naming = asWritten): void {
  if (dtype === 'float16')
    throw expected("'float32' or 'bfloat16' on the CPU", naming('dtype'), dtype);
}

function budgetOf(value: unknown, name: string): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return value;
  throw expected('number of bytes above 0', name, value);
}
