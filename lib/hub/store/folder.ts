import { join, relative, sep } from 'node:path';
import { expected } from '../../errors.js';
import { cacheFolder } from '../../util/environment.js';

/** Kakao's own five files, as a name in the store. */
export const kakaoModel = 'kakao';

/** A repository of images variation adds this to the name of the model that it belongs to. */
export const variationsSuffix = '-image-variations';

// The hub's own rules. They rule out `..`, and make `--` free to stand for the slash in a folder's
// name, where no two names then meet.
const segment = '(?!.*(?:--|\\.\\.))[A-Za-z0-9_](?:[\\w.-]{0,94}[A-Za-z0-9_])?';
const repository = new RegExp(`^${segment}/${segment}$`);

/** Whether a name can stand in the store at all. */
export function isModelName(name: string): boolean {
  return name === kakaoModel || repository.test(name);
}

/**
 * The name, checked.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
 */
export function checkModelName(name: unknown): string {
  if (typeof name === 'string' && isModelName(name)) return name;
  const what = `a repository such as kakaobrain/karlo-v1-alpha, or '${kakaoModel}',`;
  throw expected(what, 'the model', name);
}

/** The model that a repository belongs to: its own, or that of its text-to-image half. */
export function modelOf(repo: string): string {
  const base = repo.slice(0, -variationsSuffix.length);
  return repo.endsWith(variationsSuffix) && isModelName(base) ? base : repo;
}

/** Where models lie: in the user's cache folder, which KARLO_CACHE names. */
export function storeFolder(env: NodeJS.ProcessEnv): string {
  return join(cacheFolder(env), 'models');
}

/** Where a model lies in the store, with all that belongs to it. */
export function modelFolder(env: NodeJS.ProcessEnv, model: string): string {
  return join(storeFolder(env), model.replace('/', '--'));
}

/** The name of the model whose files a folder holds; undefined where that is not in the store. */
export function modelAt(env: NodeJS.ProcessEnv, folder: string): string | undefined {
  const [own = ''] = relative(storeFolder(env), folder).split(sep);
  const name = own.replace('--', '/');
  return isModelName(name) ? name : undefined;
}
