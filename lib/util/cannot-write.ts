import { dirname } from 'node:path';
import { KarloError } from '../errors.js';

/**
 * The operating system's error on writing `path`, as ERR_KARLO_WRITE with the reason.
 * @param advice how to fix it, as a last sentence
 */
export function cannotWrite(path: string, cause: unknown, advice?: string): KarloError {
  const message = `Cannot write ${path}: ${reason(path, cause)}${advice ? `. ${advice}` : ''}`;
  return new KarloError('ERR_KARLO_WRITE', message, { cause });
}

function reason(path: string, cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  const folder = dirname(path);
  switch (code) {
    case 'ENOENT':
      return `there is no folder ${folder}`;
    case 'ENOTDIR':
    case 'EEXIST':
      return `${folder} is not a folder`;
    case 'EISDIR':
      return 'it is a folder';
    case 'EACCES':
    case 'EPERM':
      return `no permission to write in ${folder}`;
    case 'EROFS':
      return `${folder} is read-only`;
    case 'ENOSPC':
    case 'EDQUOT':
      return 'no space is left on the disk';
    default:
      return message;
  }
}
