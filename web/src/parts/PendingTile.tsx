import { Label, ProgressBar } from 'react-aria-components';
import type { StageName } from '../api/types';
import { useObjectUrl } from '../studio/browser';
import { partOf, type Run, type Work } from '../studio/runs';
import { words } from '../studio/time-left';
import grain from '../style/grain.svg';

const stages: Record<StageName, string> = {
  prior: 'Imagining',
  decoder: 'Drawing',
  upsample: 'Refining',
};

/** A picture at work: noise, then its previews. */
export function PendingTile({ run, index, work }: { run: Run; index: number; work: Work }) {
  const preview = useObjectUrl(work.previews[index]);
  const atWork = work.stage !== undefined && (work.index === undefined || work.index === index);
  return (
    <figure className="tile">
      <div className="tile-picture pending" data-at-work={atWork || undefined}>
        <img className="grain" src={grain} alt="" />
        {preview && <img className="preview" src={preview} alt={`Preview ${index + 1}`} />}
      </div>
      <figcaption className="tile-words">
        <span className="unseen">{`Picture ${index + 1} of ${run.settings.count}: `}</span>
        {atWork && work.stage ? (
          <Progress {...partOf(work, index, run.settings.count)} stage={stages[work.stage]} />
        ) : (
          <span>{waiting(work)}</span>
        )}
      </figcaption>
    </figure>
  );
}

interface Part extends Pick<Work, 'share' | 'left'> {
  stage: string;
}

function Progress({ share, left, stage }: Part) {
  return (
    <ProgressBar className="progress" value={100 * share}>
      {({ percentage = 0 }) => (
        <>
          <Label className="progress-words">
            {stage}
            <span className="hint">{left !== undefined && words(left)}</span>
          </Label>
          <span className="progress-track">
            <span className="progress-fill" style={{ width: `${percentage}%` }} />
          </span>
        </>
      )}
    </ProgressBar>
  );
}

function waiting({ position, stage }: Work): string {
  if (position > 0) return `Place ${position} in the queue`;
  return stage === undefined ? 'Starting' : 'Waiting';
}
