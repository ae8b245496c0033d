import { missing } from './setup-error.mjs';

/**
 * @param {import('./setup.mjs').SetUpOptions & { tried?: string[] }} options
 */
export function refuseOffline({ env = process.env, offline = isOffline(env), tried = [] }) {
  if (!offline) return;
  throw missing(
    'LibTorch would have to be fetched, but KARLO_OFFLINE or --offline forbids it. Allow it with: unset KARLO_OFFLINE',
    tried,
  );
}

/**
 * Whether KARLO_OFFLINE forbids to fetch anything.
 * @param {NodeJS.ProcessEnv} env
 */
export function isOffline({ KARLO_OFFLINE = '' }) {
  return !['', '0', 'false', 'no'].includes(KARLO_OFFLINE.toLowerCase());
}
