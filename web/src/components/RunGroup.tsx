import { Copy, Link2 } from 'lucide-react';
import { useEffect } from 'react';
import { useAppState } from '../state/app-state';
import { copy, reveal, useObjectUrl } from '../state/browser';
import { toHash } from '../state/link';
import type { RunProgress } from '../state/progress';
import { type Run, timeOf, titleOf } from '../state/runs';
import { summaryOf } from '../state/settings';
import { FinishedImage } from './FinishedImage';
import { IconButton } from './IconButton';
import { PendingImage } from './PendingImage';

interface Props {
  run: Run;
  /** Undefined once the run has ended. */
  progress: RunProgress | undefined;
  onOpen: (index: number) => void;
}

/** The images of one run. */
export function RunGroup({ run, progress, onOpen }: Props) {
  const isRunning = progress !== undefined;
  useEffect(() => {
    // The current run is the first on the page.
    if (isRunning) reveal('.run-head');
  }, [isRunning]);
  return (
    <article className="run" aria-label={titleOf(run)}>
      <div className="run-head">
        <RunHead run={run} />
      </div>
      <div className="tiles">
        {run.images.map((image, index) => {
          const key = `${run.id}-${index}`;
          if (image) {
            return (
              <FinishedImage key={key} run={run} index={index} image={image} onOpen={onOpen} />
            );
          }
          return progress && <PendingImage key={key} index={index} progress={progress} run={run} />;
        })}
      </div>
    </article>
  );
}

function RunHead({ run }: { run: Run }) {
  const { showToast } = useAppState();
  const source = useObjectUrl(run.source);
  const { settings, warnings } = run;
  const copyText = async (text: string, toast: string) =>
    showToast((await copy(text)) ? toast : 'The browser does not allow copying');
  const link = () => new URL(toHash(settings, { withSeed: true }), location.href).href;
  return (
    <>
      {source && <img className="run-source" src={source} alt="Source" />}
      <div className="run-text">
        <h3>{titleOf(run)}</h3>
        <p className="hint">
          {summaryOf(settings)} ·{' '}
          <time dateTime={timeOf(run).toISOString()}>{shortTime(timeOf(run))}</time>
        </p>
        {warnings.map((warning) => (
          <p key={warning} className="error-text">
            {warning}
          </p>
        ))}
      </div>
      {settings.kind === 'create' && (
        <IconButton
          icon={Copy}
          label="Copy prompt"
          onPress={() => copyText(settings.prompt, 'Prompt copied')}
        />
      )}
      <IconButton icon={Link2} label="Copy link" onPress={() => copyText(link(), 'Link copied')} />
    </>
  );
}

/** The time of a run today, and the date of an earlier one. */
function shortTime(time: Date): string {
  const isToday = time.toDateString() === new Date().toDateString();
  return isToday
    ? time.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
    : time.toLocaleDateString([], { day: 'numeric', month: 'short' });
}
