import type { GenerationEvent, StageName } from '../api/types';

/** The progress of a run. */
export interface RunProgress {
  /** Whether the run has been sent, rather than waiting for another one on this page. */
  sent: boolean;
  /** Position in the server's queue; 0 once the run has started. */
  position: number;
  stage: StageName | undefined;
  /** The image that the stage works on; undefined if it works on all that are not ready. */
  index: number | undefined;
  /** The newest preview of each image. */
  previews: (Blob | undefined)[];
  /** The part that is done, 0 to 1. */
  fraction: number;
  /** The estimated time left; undefined while it is unknown. */
  secondsLeft: number | undefined;
}

export const initialProgress: RunProgress = {
  sent: false,
  position: 0,
  stage: undefined,
  index: undefined,
  previews: [],
  fraction: 0,
  secondsLeft: undefined,
};

/** The progress after an event. */
export function advance(progress: RunProgress, event: GenerationEvent): RunProgress {
  if (event.type === 'queued') return { ...progress, position: event.position };
  if (event.type === 'step') {
    const { stage, index, fraction, secondsLeft } = event;
    return { ...progress, position: 0, stage, index, fraction, secondsLeft };
  }
  if (event.type !== 'preview') return progress;
  const previews = [...progress.previews];
  previews[event.index] = event.blob;
  return { ...progress, previews };
}

/** The progress of one image. Images that are generated one at a time each take an equal part of the run. */
export function imageProgress(
  { index: current, fraction, secondsLeft }: RunProgress,
  index: number,
  count: number,
): Pick<RunProgress, 'fraction' | 'secondsLeft'> {
  if (current === undefined || fraction >= 1) return { fraction, secondsLeft };
  const own = Math.min(1, Math.max(0, count * fraction - index));
  return {
    fraction: own,
    secondsLeft: secondsLeft && (secondsLeft * (1 - own)) / (count * (1 - fraction)),
  };
}

/** "about 12 s left" */
export function timeLeftText(seconds: number): string {
  if (seconds < 1) return 'less than 1 s left';
  if (seconds < 90) return `about ${Math.round(seconds)} s left`;
  return `about ${Math.round(seconds / 60)} min left`;
}
