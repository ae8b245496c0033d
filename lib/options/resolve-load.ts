import { expected } from '../errors.js';
import { defaultThreads } from '../util/processors.js';
import { type CheckedOptions, checkOptions } from './check-options.js';
import { loadOptions } from './descriptions.js';
import { identityLabel, knownOptions, labelOf, type OptionLabeler } from './validate.js';

/**
 * The options of `Karlo.load`, checked. What depends on the machine is still open: `auto` as a device
 * or dtype, and an undefined residency.
 */
export interface ResolvedLoadOptions extends CheckedOptions<typeof loadOptions> {
  readonly threads: number;
}

/**
 * Checks the options of `Karlo.load` and adds the defaults.
 * @param label how messages refer to an option; by default, by its API name
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
 */
export function resolveLoadOptions(
  options: unknown,
  label: OptionLabeler = identityLabel,
): ResolvedLoadOptions {
  const scope = { path: '', label };
  const name = (option: string) => labelOf(scope, option);
  const raw = knownOptions(options, Object.keys(loadOptions), name('options'), scope);
  const { model } = raw;
  if (model !== undefined && (typeof model !== 'string' || model === '')) {
    throw expected('a name or the path of a folder', name('model'), model);
  }
  const checked = checkOptions(loadOptions, raw, scope);
  if (checked.device === 'cpu') checkDtypeOnCpu(checked.dtype, label);
  return { ...checked, threads: checked.threads ?? defaultThreads().threads };
}

/** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for float16, which only CUDA has */
export function checkDtypeOnCpu(
  dtype: ResolvedLoadOptions['dtype'],
  label: OptionLabeler = identityLabel,
): void {
  if (dtype === 'float16')
    throw expected("'float32' or 'bfloat16' on the CPU", label('dtype'), dtype);
}
