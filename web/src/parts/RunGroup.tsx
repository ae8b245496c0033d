import { Copy, Link2 } from 'lucide-react';
import { useEffect } from 'react';
import { copy, reveal, useObjectUrl } from '../studio/browser';
import { toHash } from '../studio/link';
import { type Run, timeOf, type Work } from '../studio/runs';
import { summary } from '../studio/settings';
import { useStudio } from '../studio/use-studio';
import { IconButton } from './IconButton';
import { PendingTile } from './PendingTile';
import { Tile } from './Tile';

interface Props {
  run: Run;
  /** While it is at work. */
  work: Work | undefined;
  onOpen: (index: number) => void;
}

export function RunGroup({ run, work, onOpen }: Props) {
  const isNew = work !== undefined;
  useEffect(() => {
    // The newest run is the first.
    if (isNew) reveal('.run-head');
  }, [isNew]);
  return (
    <article className="run" aria-label={titleOf(run)}>
      <div className="run-head">
        <RunHead run={run} />
      </div>
      <div className="tiles">
        {run.pictures.map((picture, index) => {
          const key = `${run.id}-${index}`;
          if (picture) {
            return <Tile key={key} run={run} index={index} picture={picture} onOpen={onOpen} />;
          }
          return work && <PendingTile key={key} index={index} work={work} run={run} />;
        })}
      </div>
    </article>
  );
}

function RunHead({ run }: { run: Run }) {
  const { show } = useStudio();
  const source = useObjectUrl(run.source);
  const { settings, warnings } = run;
  const put = (text: string, words: string) => copy(text).then(() => show(words));
  const link = () => new URL(toHash(settings, true), location.href).href;
  return (
    <>
      {source && <img className="run-source" src={source} alt="What was varied" />}
      <div className="run-words">
        <h3>{titleOf(run)}</h3>
        <p className="hint">
          {summary(settings)} ·{' '}
          <time dateTime={timeOf(run).toISOString()}>{shortTime(timeOf(run))}</time>
        </p>
        {warnings.map((warning) => (
          <p key={warning} className="wrong">
            {warning}
          </p>
        ))}
      </div>
      {settings.kind === 'create' && (
        <IconButton
          icon={Copy}
          label="Copy prompt"
          onPress={() => put(settings.prompt, 'Prompt copied')}
        />
      )}
      <IconButton icon={Link2} label="Copy link" onPress={() => put(link(), 'Link copied')} />
    </>
  );
}

export function titleOf({ settings }: Run): string {
  return settings.kind === 'create' ? settings.prompt : 'Variations of a picture';
}

function shortTime(time: Date): string {
  const today = time.toDateString() === new Date().toDateString();
  return today
    ? time.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
    : time.toLocaleDateString([], { day: 'numeric', month: 'short' });
}
