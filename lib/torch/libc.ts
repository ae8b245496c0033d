import { KarloError } from '../errors.js';
import { processReport } from '../util/process-report.js';

/**
 * Checks the C library before anything else takes time: there is no LibTorch for musl.
 * @param loaded the libraries that this process has loaded
 * @throws {KarloError} ERR_KARLO_ADDON_MISSING
 */
export function requireGlibc(loaded = loadedLibraries()): void {
  if (!loaded.some((path) => /\b(ld-|libc\.)musl-/.test(path))) return;
  const expected = `Expected a system with glibc, which LibTorch needs, but this Node.js uses musl, as on Alpine Linux`;
  throw new KarloError(
    'ERR_KARLO_ADDON_MISSING',
    `${expected}.\nTo fix this, use an image with glibc 2.28 or newer, such as Debian's:\n  FROM node:22-slim    instead of node:22-alpine`,
  );
}

/** Kept, because a report takes milliseconds, and a start of the command line checks three times. */
let libraries: readonly string[] | undefined;

function loadedLibraries(): readonly string[] {
  libraries ??= reportedLibraries();
  return libraries;
}

/** Empty on other systems than Linux, and in runtimes without reports, such as Deno. */
function reportedLibraries(): readonly string[] {
  const hasReport = process.platform === 'linux' && 'report' in process;
  return hasReport ? (processReport().sharedObjects ?? []) : [];
}
