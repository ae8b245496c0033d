// What happens if the process may not open more files. Connections, libraries and folders count as files.
import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { KarloError } from '../errors.js';
import { processReport } from './process-report.js';

interface SystemError extends Error {
  code?: string;
}

/** Whether an error, or one of its causes, says that the process or the system has too many open files. */
export function isTooManyFiles(error: unknown): boolean {
  for (let inner = error; inner instanceof Error; inner = inner.cause) {
    const { code, message } = inner as SystemError;
    if (code === 'EMFILE' || code === 'ENFILE') return true;
    // The system's linker, native code and LibTorch report it in their messages only.
    if (/too many open files|\bE[MN]FILE\b|Unable to open \/dev\/urandom/i.test(message))
      return true;
    if (code === 'ERR_MODULE_NOT_FOUND' && isInstalled(message)) return true;
    if (inner instanceof AggregateError && inner.errors.some(isTooManyFiles)) return true;
  }
  return false;
}

/** Node.js regards a package as missing if it cannot open its package.json. */
function isInstalled(message: string): boolean {
  const [, file] = /^Cannot find package '(.*)' imported from/.exec(message) ?? [];
  return file !== undefined && isAbsolute(file) && existsSync(join(dirname(file), 'package.json'));
}

/** Why a file cannot be opened, and how to fix it, as the end of an error message. */
export function describeTooManyFiles(): string {
  const limit = fileLimit();
  const reached = limit === undefined ? 'its limit' : `its limit of ${limit}`;
  return `the process has reached ${reached} open files and connections. Raise the limit: ulimit -n 4096 in the shell, LimitNOFILE=4096 in systemd, --ulimit nofile=4096 in Docker. If it is already that high, close files that the program no longer needs`;
}

/** The ERR_KARLO_TOO_MANY_FILES for an error that is due to too many open files; undefined for any other error. */
export function tooManyFiles(error: unknown): KarloError | undefined {
  if (!isTooManyFiles(error)) return undefined;
  const { message } = error as Error;
  const text = `Expected to open one more file but ${describeTooManyFiles()}. The system reports: ${message}`;
  return new KarloError('ERR_KARLO_TOO_MANY_FILES', text, { cause: error });
}

/** The limit of open files; undefined on Windows. */
function fileLimit(): string | undefined {
  const limit = processReport().userLimits?.open_files?.soft;
  return limit === undefined ? undefined : String(limit);
}
