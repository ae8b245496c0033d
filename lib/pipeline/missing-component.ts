import { modelAt } from '../hub/store/folder.js';
import { missingComponent } from '../layouts/open-description.js';

/**
 * Throws for a component that a task needs and the model does not have.
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND, with the command that downloads it
 */
export function throwMissingComponent(folder: string, component: string): never {
  throw missingComponent(folder, component, howToPull(folder, component));
}

/** The command that downloads the rest of a model, if the model is in the store. */
function howToPull(folder: string, component: string): string {
  const name = modelAt(process.env, folder);
  if (name === undefined) return '';
  const forImages = component === 'image_encoder' || component === 'feature_extractor';
  return `. Download it: npx karlo pull ${name}${forImages ? ' --variations' : ''}`;
}
