import { Label, ProgressBar } from 'react-aria-components';
import type { StageName } from '../api/types';
import { useObjectUrl } from '../state/browser';
import { imageProgress, type RunProgress, timeLeftText } from '../state/progress';
import { type Run, requestedOf } from '../state/runs';
import noise from '../style/noise.svg';

const stageTexts: Record<StageName, string> = {
  prior: 'Planning',
  decoder: 'Drawing',
  upsample: 'Upscaling',
};

interface Props {
  run: Run;
  index: number;
  progress: RunProgress;
}

/** An image that is not ready: noise or its draft at first, then its previews. */
export function PendingImage({ run, index, progress }: Props) {
  const requested = requestedOf(run);
  const position = requested.indexOf(index);
  const preview = useObjectUrl(progress.previews[position] ?? run.images[index]?.blob);
  const { stage, index: current } = progress;
  const active = stage !== undefined && (current === undefined || current === position);
  return (
    <figure className="tile">
      <div className="tile-image pending" data-active={active || undefined}>
        <img className="noise" src={noise} alt="" />
        {preview && <img className="preview" src={preview} alt={`Preview ${index + 1}`} />}
      </div>
      <figcaption className="tile-caption">
        <span className="visually-hidden">{`Image ${index + 1} of ${run.images.length}: `}</span>
        {active ? (
          <StageProgress
            {...imageProgress(progress, position, requested.length)}
            stage={stageTexts[stage]}
          />
        ) : (
          <span>{waitingText(progress)}</span>
        )}
      </figcaption>
    </figure>
  );
}

interface StageProgressProps extends Pick<RunProgress, 'fraction' | 'secondsLeft'> {
  stage: string;
}

function StageProgress({ fraction, secondsLeft, stage }: StageProgressProps) {
  return (
    <ProgressBar className="progress" value={100 * fraction}>
      {({ percentage = 0 }) => (
        <>
          <Label className="progress-label">
            {stage}
            <span className="hint">{secondsLeft !== undefined && timeLeftText(secondsLeft)}</span>
          </Label>
          <span className="progress-track">
            <span className="progress-fill" style={{ width: `${percentage}%` }} />
          </span>
        </>
      )}
    </ProgressBar>
  );
}

function waitingText({ sent, position, stage }: RunProgress): string {
  if (!sent) return 'Waiting for the previous run';
  if (position > 0) return `Number ${position} in the queue`;
  return stage === undefined ? 'Starting…' : 'Waiting…';
}
