import { join, relative, sep } from 'node:path';
import { expected } from '../../errors.js';
import { cacheFolder } from '../../util/environment.js';

/** The name in the store of the five files that Kakao Brain publishes. */
export const kakaoModel = 'kakao';

/** The suffix that turns a model's repository into its image-variation repository. */
export const variationsSuffix = '-image-variations';

// The hub's rules for names. They exclude `..`, and they exclude `--`, which therefore can replace the
// slash in folder names without collisions.
const segment = '(?!.*(?:--|\\.\\.))[A-Za-z0-9_](?:[\\w.-]{0,94}[A-Za-z0-9_])?';
const repository = new RegExp(`^${segment}/${segment}$`);

/** Whether a name is valid in the store. */
export function isModelName(name: string): boolean {
  return name === kakaoModel || repository.test(name);
}

/**
 * Checks a model's name.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
 */
export function checkModelName(name: unknown): string {
  if (typeof name === 'string' && isModelName(name)) return name;
  const what = `a repository such as kakaobrain/karlo-v1-alpha, or '${kakaoModel}',`;
  throw expected(what, 'the model', name);
}

/** The model that a repository belongs to. An image-variation repository belongs to its text-to-image model. */
export function modelOf(repo: string): string {
  const base = repo.slice(0, -variationsSuffix.length);
  return repo.endsWith(variationsSuffix) && isModelName(base) ? base : repo;
}

/** The folder of all models, within the user's cache folder (KARLO_CACHE). */
export function storeFolder(env: NodeJS.ProcessEnv): string {
  return join(cacheFolder(env), 'models');
}

/** The folder of a model and its records. */
export function modelFolder(env: NodeJS.ProcessEnv, model: string): string {
  return join(storeFolder(env), model.replace('/', '--'));
}

/** The name of the model that a folder belongs to; undefined if the folder is not in the store. */
export function modelAt(env: NodeJS.ProcessEnv, folder: string): string | undefined {
  const [first = ''] = relative(storeFolder(env), folder).split(sep);
  const name = first.replace('--', '/');
  return isModelName(name) ? name : undefined;
}
