import { Copy, ImageUpscale, Link2, Play, X } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Button } from 'react-aria-components';
import { useAppState } from '../state/app-state';
import { copy, reveal, useObjectUrl } from '../state/browser';
import { toHash } from '../state/link';
import type { RunProgress } from '../state/progress';
import { draftCount, endedRun, isPending, type Run, timeOf, titleOf } from '../state/runs';
import { hasPrompt, summaryOf } from '../state/settings';
import { DraftImage } from './DraftImage';
import { FinishedImage } from './FinishedImage';
import { FrameScrubber } from './FrameScrubber';
import { IconButton } from './IconButton';
import { PendingImage } from './PendingImage';

interface Props {
  run: Run;
  /** Undefined once the run has ended. */
  progress: RunProgress | undefined;
  onlyFavourites: boolean;
  onOpen: (index: number) => void;
}

/** The images of one run. */
export function RunGroup({ run, progress, onlyFavourites, onOpen }: Props) {
  const isNew = progress !== undefined && run.finishing === undefined;
  useEffect(() => {
    // The newest run is the first on the page.
    if (isNew) reveal('.run-head');
  }, [isNew]);
  const [chosen, setChosen] = useState<readonly number[]>([]);
  return (
    <article className="run" aria-label={titleOf(run)}>
      <div className="run-head">
        <RunHead run={run} progress={progress} />
      </div>
      {run.unfinished && !progress && <Interrupted run={run} />}
      {run.settings.kind === 'interpolate' && <FrameScrubber run={run} onOpen={onOpen} />}
      <div className={run.settings.kind === 'interpolate' ? 'tiles frames' : 'tiles'}>
        {run.images.map((image, index) => {
          const key = `${run.id}-${index}`;
          if (onlyFavourites && !image?.favourite) return null;
          if (progress && isPending(run, index)) {
            return <PendingImage key={key} index={index} progress={progress} run={run} />;
          }
          if (image?.isDraft) {
            return (
              <DraftImage
                key={key}
                {...{ run, index, image }}
                isChosen={chosen.includes(index)}
                onChoose={(isChosen) => setChosen((now) => withIndex(now, index, isChosen))}
              />
            );
          }
          return image && <FinishedImage key={key} {...{ run, index, image, onOpen }} />;
        })}
      </div>
      <DraftBar run={run} chosen={chosen} isBusy={progress !== undefined} />
    </article>
  );
}

/** The chosen indices in order, with one of them or without. */
function withIndex(chosen: readonly number[], index: number, isChosen: boolean): number[] {
  const others = chosen.filter((other) => other !== index);
  return isChosen ? [...others, index].toSorted((a, b) => a - b) : others;
}

interface DraftBarProps {
  run: Run;
  /** The indices of the chosen drafts, also of those that have been finished or deleted since. */
  chosen: readonly number[];
  isBusy: boolean;
}

/** Finishes the chosen drafts of a run. */
function DraftBar({ run, chosen, isBusy }: DraftBarProps) {
  const { finish } = useAppState();
  if (!run.images.some((image) => image?.isDraft)) return null;
  const drafts = chosen.filter((index) => run.images[index]?.isDraft);
  return (
    <div className="draft-bar">
      <p className="hint">{drafts.length === 0 && 'Choose the drafts that you like.'}</p>
      <Button
        className="button small"
        isDisabled={isBusy || drafts.length === 0}
        onPress={() => finish(run, drafts)}
      >
        <ImageUpscale aria-hidden size={16} />
        {drafts.length === 0 ? 'Finish drafts' : `Finish ${draftCount(drafts.length)}`}
      </Button>
    </div>
  );
}

/** What became of a run that worked when the page was closed or reloaded. */
function Interrupted({ run }: { run: Run }) {
  const { history, retry } = useAppState();
  const dismiss = () => {
    const ended = endedRun(run);
    if (ended.images.some(Boolean)) history.put(ended);
    else history.remove(run.id);
  };
  return (
    <div className="interrupted">
      <p>
        Not finished: the page was closed or reloaded, or another tab is still working on this.
        Continuing makes the same images.
      </p>
      <Button className="button small" onPress={() => retry(run)}>
        <Play aria-hidden size={16} />
        Continue
      </Button>
      <Button className="button small quiet" onPress={dismiss}>
        Dismiss
      </Button>
    </div>
  );
}

function RunHead({ run, progress }: Pick<Props, 'run' | 'progress'>) {
  const { showToast, cancel } = useAppState();
  const source = useObjectUrl(run.inputs.source);
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
      {progress?.sent === false && (
        <IconButton icon={X} label="Cancel this run" text="Cancel" onPress={() => cancel(run.id)} />
      )}
      {hasPrompt(settings) && (
        <IconButton
          icon={Copy}
          label="Copy prompt"
          text="Copy prompt"
          onPress={() => copyText(settings.prompt, 'Prompt copied')}
        />
      )}
      <IconButton
        icon={Link2}
        label="Copy link"
        text="Copy link"
        onPress={() => copyText(link(), 'Link copied')}
      />
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
