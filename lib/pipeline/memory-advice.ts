import { KarloError } from '../errors.js';
import type { ResidencyMode } from '../options/descriptions.js';
import { labelSetting, type OptionLabeler } from '../options/validate.js';

/** What ran out of memory. */
export interface MemoryContext {
  readonly batchSize: number;
  readonly dtype: string;
  readonly device: string;
  readonly residency: ResidencyMode;
  /** How messages refer to an option. */
  readonly label: OptionLabeler;
}

/** An out-of-memory error while images were generated, with advice. Returns any other error unchanged. */
export function withMemoryAdvice(error: unknown, context: MemoryContext): unknown {
  if (!isOutOfMemory(error)) return error;
  const { batchSize, dtype, device } = context;
  const images = batchSize === 1 ? '1 image' : `${batchSize} images at once`;
  const advice = adviceFor(context);
  const help = advice === '' ? 'Close other programs' : `Try any of: ${advice}`;
  const message = `Not enough memory on ${device} for ${images} in ${dtype}. ${help}. The model can still be used. LibTorch reports: ${error.message}`;
  return new KarloError('ERR_KARLO_OUT_OF_MEMORY', message, { cause: error });
}

/** The same for an error while a resident model was loaded. */
export function withLoadingAdvice(
  error: unknown,
  { dtype, device, label }: Pick<MemoryContext, 'dtype' | 'device' | 'label'>,
): unknown {
  if (!isOutOfMemory(error)) return error;
  const advice = adviceFor({ batchSize: 1, dtype, device, residency: 'resident', label });
  const message = `Not enough memory on ${device} for the model in ${dtype}. Try any of: ${advice}. LibTorch reports: ${error.message}`;
  return new KarloError('ERR_KARLO_OUT_OF_MEMORY', message, { cause: error });
}

function isOutOfMemory(error: unknown): error is KarloError {
  return error instanceof KarloError && error.code === 'ERR_KARLO_OUT_OF_MEMORY';
}

function adviceFor({ batchSize, dtype, device, residency, label }: MemoryContext): string {
  return [
    ...(batchSize > 1 ? [`a ${label('batchSize')} below ${batchSize}`] : []),
    ...(dtype === 'float32' ? [labelSetting(label, 'dtype', 'bfloat16')] : []),
    ...(residency === 'resident' ? [labelSetting(label, 'residency', 'staged')] : []),
    ...(device === 'cpu' ? [] : [labelSetting(label, 'device', 'cpu')]),
  ].join(', ');
}
