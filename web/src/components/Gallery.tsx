import { Download, Heart, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { Button, ToggleButton } from 'react-aria-components';
import { useAppState } from '../state/app-state';
import { downloadZip } from '../state/browser';
import { fileNameOf, type ImageRef, type Run, timeOf } from '../state/runs';
import type { Kind } from '../state/settings';
import noise from '../style/noise.svg';
import { ImageDialog } from './ImageDialog';
import { RunGroup } from './RunGroup';

/** Runs that are shown at first, and that each "Show more" adds. */
const pageSize = 12;

/** The images of the current run and of earlier ones. */
export function Gallery() {
  const { history, progress } = useAppState();
  const [shown, setShown] = useState(pageSize);
  const [onlyFavourites, setOnlyFavourites] = useState(false);
  const [open, setOpen] = useState<ImageRef>();
  const run = history.runs.find(({ id }) => id === open?.runId);
  const runs = onlyFavourites ? history.runs.filter(hasFavourite) : history.runs;
  return (
    <section aria-labelledby="gallery-title" className="gallery">
      <div className="gallery-head">
        <h2 id="gallery-title">Images</h2>
        {history.runs.length > 0 && (
          <>
            <ToggleButton
              className="button small quiet"
              isSelected={onlyFavourites}
              onChange={setOnlyFavourites}
            >
              <Heart aria-hidden size={16} />
              Favourites
            </ToggleButton>
            <DownloadButton runs={runs} onlyFavourites={onlyFavourites} />
            {!onlyFavourites && <ClearButton />}
          </>
        )}
      </div>
      <CompareHint />
      {history.runs.length === 0 && <EmptyGallery />}
      {onlyFavourites && runs.length === 0 && <p className="hint">There are no favourites.</p>}
      {runs.slice(0, shown).map((run) => (
        <RunGroup
          key={run.id}
          run={run}
          progress={progress[run.id]}
          onlyFavourites={onlyFavourites}
          onOpen={(index) => setOpen({ runId: run.id, index })}
        />
      ))}
      {runs.length > shown && (
        <Button className="button" onPress={() => setShown(shown + pageSize)}>
          Show more
        </Button>
      )}
      <ImageDialog
        shown={run && open ? { run, index: open.index } : undefined}
        onMove={(index) => run && setOpen({ runId: run.id, index })}
        onClose={() => setOpen(undefined)}
      />
    </section>
  );
}

function hasFavourite({ images }: Run): boolean {
  return images.some((image) => image?.favourite);
}

interface DownloadProps {
  runs: readonly Run[];
  onlyFavourites: boolean;
}

/** Downloads the images that are shown. */
function DownloadButton({ runs, onlyFavourites }: DownloadProps) {
  const files = () =>
    runs.flatMap((run) =>
      run.images.flatMap((image, index) => {
        if (!image || (onlyFavourites && !image.favourite)) return [];
        return [{ name: fileNameOf(run, index), input: image.blob, lastModified: timeOf(run) }];
      }),
    );
  return (
    <Button
      className="button small quiet"
      isDisabled={!runs.some(({ images }) => images.some(Boolean))}
      onPress={() => downloadZip(files())}
    >
      <Download aria-hidden size={16} />
      Download all
    </Button>
  );
}

/** Deletes all runs that have ended. */
function ClearButton() {
  const { history, deletion, progress } = useAppState();
  const ended = history.runs.filter(({ id }) => progress[id] === undefined);
  return (
    <Button
      className="button small quiet"
      isDisabled={ended.length === 0}
      onPress={() => deletion.removeRuns(ended)}
    >
      <Trash2 aria-hidden size={16} />
      Clear all
    </Button>
  );
}

/** What to do after the first of two images was selected. */
function CompareHint() {
  const { compared, setCompared } = useAppState();
  if (compared.length !== 1) return null;
  return (
    <p className="compare-hint">
      <span role="status">Choose Compare for another image.</span>
      <Button className="button small" onPress={() => setCompared([])}>
        Cancel comparison
      </Button>
    </p>
  );
}

function EmptyGallery() {
  const { form } = useAppState();
  return (
    <div className="empty">
      <div className="empty-frames">
        {[0, 1, 2].map((i) => (
          <img key={i} src={noise} alt="" width={128} height={128} />
        ))}
      </div>
      <p className="empty-title">Every image starts as noise.</p>
      <p>{emptyTexts[form.settings.kind]}</p>
    </div>
  );
}

const emptyTexts: Record<Kind, string> = {
  create: 'Describe the image you want, or pick an example.',
  vary: 'Drop, paste or choose an image to create variations of it.',
  mix: 'Combine two to four texts and images.',
  interpolate: 'Choose a start and an end to see the images between them.',
  edit: 'Paint over a part of an image, or describe what should change.',
};
