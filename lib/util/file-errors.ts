import { dirname } from 'node:path';
import { types } from 'node:util';
import { invalidArgument, KarloError } from '../errors.js';
import { describeTooManyFiles } from './open-files.js';
import { missingFlag } from './permission.js';
import { RefusedFile } from './regular-file.js';

/** Whether an error comes from the operating system, for example because a disk is full or a file is missing. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return types.isNativeError(error) && 'syscall' in error;
}

/** Whether an error says why a file cannot be read: see {@link whyUnreadable}. */
export function isUnreadable(error: unknown): boolean {
  return error instanceof RefusedFile || isSystemError(error) || missingFlag(error) !== undefined;
}

/**
 * The ERR_KARLO_INVALID_ARGUMENT for a file or folder that exists where a new one is to be written.
 * @param advice how to continue, as the last part of the message
 */
export function alreadyExists(kind: 'file' | 'folder', path: string, advice = ''): KarloError {
  const message = `Expected a new ${kind} but ${path} already exists${advice && `: ${advice}`}`;
  return invalidArgument(message);
}

/**
 * The ERR_KARLO_WRITE for an error of the operating system while writing `path`.
 * @param advice how to fix it, as a last sentence
 */
export function cannotWrite(path: string, cause: unknown, advice?: string): KarloError {
  const message = `Cannot write ${path}: ${whyUnwritable(path, cause)}${advice ? `. ${advice}` : ''}`;
  return new KarloError('ERR_KARLO_WRITE', message, { cause });
}

/** Why a file cannot be read, as the end of an error message. */
export function whyUnreadable(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'the file does not exist';
    case 'EISDIR':
      return 'it is a folder';
    case 'EACCES':
    case 'EPERM':
      return 'no permission to read it';
    case 'EMFILE':
    case 'ENFILE':
      return describeTooManyFiles();
    default:
      return whyDenied(error) ?? message;
  }
}

function whyDenied(error: unknown): string | undefined {
  const flag = missingFlag(error);
  return flag && `Node.js runs with --permission and without ${flag}`;
}

function whyUnwritable(path: string, cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  const folder = dirname(path);
  switch (code) {
    case 'ENOENT':
      return `the folder ${folder} does not exist`;
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
    case 'EMFILE':
    case 'ENFILE':
      return describeTooManyFiles();
    case 'ERR_ACCESS_DENIED':
      // The error names a temporary file in the folder.
      return `Node.js runs with --permission and without --allow-fs-write=${folder}`;
    default:
      return message;
  }
}
