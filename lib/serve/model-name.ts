import { basename, resolve } from 'node:path';

/** What clients call the model: a built-in name, or a folder's own name. */
export function modelName(model = 'karlo-tiny'): string {
  return basename(resolve(model));
}
