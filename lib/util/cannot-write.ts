import { dirname } from 'node:path';
import { KarloError } from '../errors.js';

/** The system's error, of writing `path`, as an ERR_KARLO_WRITE that says what is wrong there. */
export function cannotWrite(path: string, cause: unknown): KarloError {
  return new KarloError('ERR_KARLO_WRITE', `Cannot write ${path}: ${reason(path, cause)}`, {
    cause,
  });
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
      return 'no space is left there';
    default:
      return message;
  }
}
