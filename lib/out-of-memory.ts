import { KarloError } from './errors.js';

interface Situation {
  readonly batchSize: number;
  readonly dtype: string;
  readonly device: string;
  readonly residency: 'resident' | 'staged';
}

/** An error with advice where memory ran out; any other as it is. */
export function advised(error: unknown, situation: Situation): unknown {
  if (!(error instanceof KarloError) || error.code !== 'ERR_KARLO_OUT_OF_MEMORY') return error;
  const { batchSize, dtype, device, residency } = situation;
  const ways = [
    ...(batchSize > 1 ? [`a batchSize below ${batchSize}`] : []),
    ...(dtype === 'float32' ? ["dtype: 'bfloat16'"] : []),
    ...(residency === 'resident' ? ["residency: 'staged'"] : []),
    ...(device === 'cpu' ? [] : ["device: 'cpu'"]),
  ];
  const help = ways.length > 0 ? `What helps: ${ways.join(', ')}.` : 'Close other programs.';
  const message = `Not enough memory on ${device} for ${batchSize} ${batchSize === 1 ? 'picture' : 'pictures'} at once in ${dtype}. ${help} The model can be used as before. LibTorch says: ${error.message}`;
  return new KarloError('ERR_KARLO_OUT_OF_MEMORY', message, { cause: error });
}
