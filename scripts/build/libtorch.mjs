import { interruptible } from '../libtorch/interruptible.mjs';
import { showProgress } from '../libtorch/progress.mjs';
import { setUpLibTorch } from '../libtorch/setup.mjs';

/**
 * Finds or fetches LibTorch, with its headers.
 * @returns {Promise<string>} its folder
 */
export async function ensureLibTorch() {
  const progress = showProgress();
  try {
    const { folder, includeDir } = await interruptible((signal) =>
      setUpLibTorch({ headers: true, onProgress: progress.update, signal }),
    );
    if (includeDir !== undefined) return folder;
    throw new Error(
      `LibTorch in ${folder} has no headers to build against. Build with one that has:\n  export KARLO_LIBTORCH=/path/to/libtorch && npm run build`,
    );
  } finally {
    progress.stop();
  }
}
