import type { SetupProgress } from '../libtorch/fetch.js';
import type { LibTorch } from '../libtorch/folder.js';
import { type SetupOptions, setUpLibTorch } from '../libtorch/setup.js';
import { interruptible } from './terminal/interruptible.js';
import { showPhases } from './terminal/phase-progress.js';

/** `setUpLibTorch`, with its progress on stderr; a signal aborts it and ends the process. */
export async function setUpWithProgress(options: SetupOptions): Promise<LibTorch> {
  const progress = showProgress();
  try {
    return await interruptible((signal) =>
      setUpLibTorch({ ...options, onProgress: progress.update, signal }),
    );
  } finally {
    progress.stop();
  }
}

const phases = {
  wait: 'Waiting for another process to set up LibTorch',
  fetch: 'Downloading LibTorch',
  unpack: 'Unpacking LibTorch',
};

function showProgress() {
  const bar = showPhases({ format: '{phase} [{bar}] {megabytes} MB' });
  return {
    update({ phase, done, total }: SetupProgress) {
      const payload = { phase: phases[phase], megabytes: Math.round(done / 1e6) };
      bar.update(phase, { done, total, payload }, `${phases[phase]} …`);
    },
    stop: bar.stop,
  };
}
