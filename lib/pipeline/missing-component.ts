import { KarloError } from '../errors.js';
import { modelAt } from '../hub/store/folder.js';

/**
 * Throws for a component that a task needs and the model does not have.
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND, with the command that fetches it
 */
export function throwMissingComponent(folder: string, component: string): never {
  const message = `Expected a model with ${component} in ${folder} but it has none${hint(folder, component)}`;
  throw new KarloError('ERR_KARLO_MODEL_NOT_FOUND', message);
}

/** The command that fetches the rest of a model that is in the store. */
function hint(folder: string, component: string): string {
  const name = modelAt(process.env, folder);
  if (name === undefined) return '';
  const forImages = component === 'image_encoder' || component === 'feature_extractor';
  return `. Fetch it with: npx karlo pull ${name}${forImages ? ' --variations' : ''}`;
}
