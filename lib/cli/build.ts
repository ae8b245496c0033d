import type { BuildProgress } from '../libtorch/build-progress.js';
import { reportLine } from './terminal/output.js';
import { showPhases } from './terminal/phase-progress.js';

// By Ninja's log on two cores of an AMD EPYC, shared with other work: 10 minutes with the C++ tests, of which the addon
// is about three fifths.
const notice =
  'Building the addon (CMake). A first build usually takes 5 to 10 minutes on two cores …';

/** Compiles the addon with its progress on stderr: a bar in a terminal, otherwise a line for every tenth. */
export async function withBuildProgress(
  build: (onProgress: (progress: BuildProgress) => void) => Promise<void>,
): Promise<void> {
  const bar = showPhases({ format: 'Compiling [{bar}] {value}/{total} {unit}' });
  try {
    await build((progress) => {
      if (progress.total === 0) reportLine(notice);
      else showOn(bar, progress);
    });
  } finally {
    bar.stop();
  }
}

function showOn(bar: ReturnType<typeof showPhases>, { done, total, unit }: BuildProgress): void {
  const tenth = Math.floor((10 * done) / total);
  const phase = bar.drawsBars ? `${total}` : `${total}: ${tenth}`;
  const line = unit === '%' ? `Compiled ${done} %` : `Compiled ${done} of ${total} ${unit}`;
  bar.update(phase, { done, total, payload: { unit } }, line);
}
