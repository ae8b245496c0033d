import { KarloError } from '../errors.js';
import type { ResidencyMode } from '../options/descriptions.js';

/** What ran out of memory. */
export interface MemoryContext {
  readonly batchSize: number;
  readonly dtype: string;
  readonly device: string;
  readonly residency: ResidencyMode;
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
  { dtype, device }: Pick<MemoryContext, 'dtype' | 'device'>,
): unknown {
  if (!isOutOfMemory(error)) return error;
  const advice = adviceFor({ batchSize: 1, dtype, device, residency: 'resident' });
  const message = `Not enough memory on ${device} for the model in ${dtype}. Try any of: ${advice}. LibTorch reports: ${error.message}`;
  return new KarloError('ERR_KARLO_OUT_OF_MEMORY', message, { cause: error });
}

function isOutOfMemory(error: unknown): error is KarloError {
  return error instanceof KarloError && error.code === 'ERR_KARLO_OUT_OF_MEMORY';
}

function adviceFor({ batchSize, dtype, device, residency }: MemoryContext): string {
  return [
    ...(batchSize > 1 ? [`a batchSize below ${batchSize}`] : []),
    ...(dtype === 'float32' ? ["dtype: 'bfloat16'"] : []),
    ...(residency === 'resident' ? ["residency: 'staged'"] : []),
    ...(device === 'cpu' ? [] : ["device: 'cpu'"]),
  ].join(', ');
}
