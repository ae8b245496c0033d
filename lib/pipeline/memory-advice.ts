import { KarloError } from '../errors.js';

interface Situation {
  readonly batchSize: number;
  readonly dtype: string;
  readonly device: string;
  readonly residency: 'resident' | 'staged';
}

/** An error of making pictures, with advice where memory ran out; any other as it is. */
export function advised(error: unknown, situation: Situation): unknown {
  if (!isOutOfMemory(error)) return error;
  const { batchSize, dtype, device } = situation;
  const ways = waysOut(situation);
  const help = ways === '' ? 'Close other programs.' : `What helps: ${ways}.`;
  const message = `Not enough memory on ${device} for ${batchSize} ${batchSize === 1 ? 'picture' : 'pictures'} at once in ${dtype}. ${help} The model can be used as before. LibTorch says: ${error.message}`;
  return new KarloError('ERR_KARLO_OUT_OF_MEMORY', message, { cause: error });
}

/** The same of loading all networks of a model. */
export function advisedLoading(
  error: unknown,
  { dtype, device }: Pick<Situation, 'dtype' | 'device'>,
): unknown {
  if (!isOutOfMemory(error)) return error;
  const ways = waysOut({ batchSize: 1, dtype, device, residency: 'resident' });
  const message = `Not enough memory on ${device} for the model in ${dtype}. What helps: ${ways}. LibTorch says: ${error.message}`;
  return new KarloError('ERR_KARLO_OUT_OF_MEMORY', message, { cause: error });
}

function isOutOfMemory(error: unknown): error is KarloError {
  return error instanceof KarloError && error.code === 'ERR_KARLO_OUT_OF_MEMORY';
}

function waysOut({ batchSize, dtype, device, residency }: Situation): string {
  return [
    ...(batchSize > 1 ? [`a batchSize below ${batchSize}`] : []),
    ...(dtype === 'float32' ? ["dtype: 'bfloat16'"] : []),
    ...(residency === 'resident' ? ["residency: 'staged'"] : []),
    ...(device === 'cpu' ? [] : ["device: 'cpu'"]),
  ].join(', ');
}
