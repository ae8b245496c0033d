import { KarloError } from '../errors.js';

/**
 * The error for a file or folder that exists where a new one is to be written.
 * @param advice how to continue, as the last part of the message
 */
export function alreadyExists(kind: 'file' | 'folder', path: string, advice = ''): KarloError {
  const message = `Expected a new ${kind} but ${path} already exists${advice && `: ${advice}`}`;
  return new KarloError('ERR_KARLO_INVALID_ARGUMENT', message);
}
