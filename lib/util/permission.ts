// What Node.js forbids by its flags --no-addons and --permission.
import { KarloError } from '../errors.js';

interface DeniedError extends Error {
  code?: string;
  permission?: string;
  resource?: string;
}

const flags: Readonly<Record<string, string>> = {
  FileSystemRead: '--allow-fs-read',
  FileSystemWrite: '--allow-fs-write',
  ChildProcess: '--allow-child-process',
  WorkerThreads: '--allow-worker',
};

/** Whether Node.js runs with `--permission`. */
export function isRestricted(): boolean {
  return (process as { permission?: unknown }).permission !== undefined;
}

/** Whether this program can run another program of the package. A single executable application would run itself. */
export function canStartProcesses(): boolean {
  const { permission } = process as { permission?: { has(scope: string): boolean } };
  return (permission?.has('child') ?? true) && !isSea();
}

/** Bun and Deno have no node:sea. */
function isSea(): boolean {
  return process.getBuiltinModule('node:sea')?.isSea() ?? false;
}

/** The flag of `--permission` that an access needs; undefined for any other error. */
export function missingFlag(error: unknown): string | undefined {
  const { code, permission = '', resource } = (error ?? {}) as DeniedError;
  if (code !== 'ERR_ACCESS_DENIED') return undefined;
  const flag = flags[permission] ?? `a flag for ${permission}`;
  return resource && flag.startsWith('--allow-fs') ? `${flag}=${resource}` : flag;
}

/**
 * The ERR_KARLO_NATIVE for an addon or a file that Node.js forbids, by an error or its cause; undefined for any other
 * error.
 */
export function forbidden(error: unknown): KarloError | undefined {
  for (const cause of [error, (error as Error | undefined)?.cause]) {
    const message = whyForbidden(cause);
    if (message !== undefined) return new KarloError('ERR_KARLO_NATIVE', message, { cause });
  }
  return undefined;
}

function whyForbidden(error: unknown): string | undefined {
  const { code, message = '', resource } = (error ?? {}) as DeniedError;
  // sharp reports the code in its message.
  if (code === 'ERR_DLOPEN_DISABLED' || message.includes('ERR_DLOPEN_DISABLED')) return noAddons();
  const flag = missingFlag(error);
  if (flag === undefined) return undefined;
  const all = flag.replace(/=.*/, '=*');
  const least = all === flag ? '' : `, or at least ${flag}`;
  return `Expected Node.js to allow access to ${resource ?? 'other programs'} but it runs with --permission. Add ${all}${least}`;
}

function noAddons(): string {
  const expected = 'Expected Node.js to allow native addons but it runs with';
  return isRestricted()
    ? `${expected} --permission. Add --allow-addons`
    : `${expected} --no-addons. Remove this flag from the command and from NODE_OPTIONS`;
}
