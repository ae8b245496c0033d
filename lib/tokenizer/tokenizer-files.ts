import { join } from 'node:path';
import { packageFolder } from '../torch/load.js';

/** What a tokenizer folder must hold. */
export const requiredTokenizerFiles = ['vocab.json', 'merges.txt'] as const;

/** What a tokenizer folder of the Hugging Face layout may hold. */
export const tokenizerFiles = [
  ...requiredTokenizerFiles,
  'tokenizer_config.json',
  'special_tokens_map.json',
] as const;

/** The names of the models that come with the package. */
export const builtIn: readonly string[] = ['karlo-tiny'];

/** The folder of a model that comes with the package. */
export function builtInModel(name: string): string {
  return join(packageFolder(), 'models', name);
}

/** The Kakao layout has no tokenizer of its own: its vocabulary is the one of `karlo-tiny`. */
export function builtInTokenizer(): string {
  return join(builtInModel('karlo-tiny'), 'tokenizer');
}
