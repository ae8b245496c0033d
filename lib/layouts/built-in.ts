import { join } from 'node:path';
import { packageFolder } from '../util/package.js';

/** The names of the models that come with the package. */
export const builtIn: readonly string[] = ['karlo-tiny'];

/** The folder of a model that comes with the package. */
export function builtInModel(name: string): string {
  return join(packageFolder(), 'models', name);
}

/** The folder of CLIP's tokenizer, for models that are published without one. */
export function builtInTokenizer(): string {
  return join(builtInModel('karlo-tiny'), 'tokenizer');
}
