import cliProgress from 'cli-progress';
import { visibleLine } from '../../util/visible-text.js';
import { reportLine } from './output.js';

interface BarState {
  readonly done: number;
  readonly total: number;
  /** Values of the placeholders in the bar's format. */
  readonly payload: object;
}

export interface PhaseProgress {
  readonly drawsBars: boolean;
  /**
   * Shows the progress of a phase, which ends the one before it.
   * @param bar of the phase, if it has one; drawn in a terminal only
   * @param line written at the beginning of the phase if no bar is drawn
   */
  update(phase: string, bar: BarState | undefined, line?: string): void;
  stop(): void;
}

/** Shows the progress of work in phases on stderr: a bar for each in a terminal, otherwise lines. */
export function showPhases(
  options: Pick<cliProgress.Options, 'format' | 'etaBuffer'>,
): PhaseProgress {
  const single = new cliProgress.SingleBar({
    ...options,
    hideCursor: true,
    stream: process.stderr,
  });
  const drawsBars = process.stderr.isTTY === true;
  let current: string | undefined;
  return {
    drawsBars,
    update(phase, bar, line) {
      const drawn = drawsBars && bar ? { ...bar, payload: visible(bar.payload) } : undefined;
      if (phase === current) {
        if (drawn) single.update(drawn.done, drawn.payload);
        return;
      }
      current = phase;
      single.stop();
      if (drawn) single.start(drawn.total, drawn.done, drawn.payload);
      else if (line !== undefined) reportLine(line);
    },
    stop: () => single.stop(),
  };
}

/** Values that a terminal can show, whatever the file names in them. */
function visible(payload: object): object {
  return Object.fromEntries(
    Object.entries(payload).map(([name, value]) => [name, visibleLine(String(value))]),
  );
}
