import { withFolderLock } from '../../util/folder-lock.js';
import { downloadError } from '../download/failure.js';

/**
 * Runs `work` while no other process changes the store. The signal passed to `work` aborts if the
 * caller's signal does, or if the lock is lost because the process was suspended for too long.
 * @param options.onWait called while another process holds the lock
 */
export function withStoreLock<T>(
  store: string,
  options: { signal?: AbortSignal | undefined; onWait?: () => void },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const message = `Another process has taken over the model store ${store}. Wait until it has finished, then run the same command again to resume`;
  return withFolderLock(store, { ...options, onLost: () => downloadError(message) }, work);
}
