import { resolve } from 'node:path';
import envPaths from 'env-paths';

/** The user's cache folder: `KARLO_CACHE`, or the operating system's default place for caches. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  return env.KARLO_CACHE ? resolve(env.KARLO_CACHE) : envPaths('karlo', { suffix: '' }).cache;
}

/** How to fix a cache folder that is full or not writable, as the last sentence of an error message. */
export const useAnotherCache = 'Use another folder: export KARLO_CACHE=/path/with/space';

/** The variable that forbids downloads of models: this package's, or that of Hugging Face's programs. */
export function offlineVariable(env: NodeJS.ProcessEnv): string | undefined {
  if (isOffline(env)) return 'KARLO_OFFLINE';
  return /^(?:1|on|yes|true)$/i.test(env.HF_HUB_OFFLINE ?? '') ? 'HF_HUB_OFFLINE' : undefined;
}

/** Whether `KARLO_OFFLINE` forbids downloads. */
export function isOffline({ KARLO_OFFLINE = '' }: NodeJS.ProcessEnv): boolean {
  return !['', '0', 'false', 'no'].includes(KARLO_OFFLINE.toLowerCase());
}
