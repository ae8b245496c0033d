import { invalidArgument } from '../../errors.js';
import type { Provenance } from '../../images/recipe.js';

/**
 * Checks that what a caller passes was made with the loaded weights.
 * @param what it is, with its article: `an embedding`
 * @param argument its name
 * @param made with which model
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
 */
export function requireWeights(
  what: string,
  argument: string,
  made: Provenance['model'],
  { model }: Pick<Provenance, 'model'>,
): void {
  if (made.sha256 === model.sha256) return;
  const message = `Expected ${what} of the loaded model, ${model.name}, but received one of ${made.name}, whose weights are different. Load the model that made it`;
  throw invalidArgument(message, { argument });
}
