import { Trash2 } from 'lucide-react';
import { useState } from 'react';
import { Button, Dialog, DialogTrigger, Heading, Popover } from 'react-aria-components';
import { useAppState } from '../state/app-state';
import noise from '../style/noise.svg';
import { ImageDialog } from './ImageDialog';
import { RunGroup } from './RunGroup';

/** Runs that are shown at first, and that each "Show more" adds. */
const pageSize = 12;

/** The images of the current run and of earlier ones. */
export function Gallery() {
  const { history, progress } = useAppState();
  const [shown, setShown] = useState(pageSize);
  const [open, setOpen] = useState<{ runId: string; index: number }>();
  const run = history.runs.find(({ id }) => id === open?.runId);
  return (
    <section aria-labelledby="gallery-title" className="gallery">
      <div className="gallery-head">
        <h2 id="gallery-title">Images</h2>
        {history.runs.length > 0 && !progress && <ClearButton />}
      </div>
      {history.runs.length === 0 && <EmptyGallery />}
      {history.runs.slice(0, shown).map((run) => (
        <RunGroup
          key={run.id}
          run={run}
          progress={progress?.runId === run.id ? progress : undefined}
          onOpen={(index) => setOpen({ runId: run.id, index })}
        />
      ))}
      {history.runs.length > shown && (
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
      <p>
        {form.settings.kind === 'create'
          ? 'Describe the image you want, or pick an example.'
          : 'Drop, paste or choose an image to create variations of it.'}
      </p>
    </div>
  );
}

function ClearButton() {
  const { history } = useAppState();
  return (
    <DialogTrigger>
      <Button className="button small quiet">
        <Trash2 aria-hidden size={16} />
        Clear all
      </Button>
      <Popover className="popover" placement="bottom end">
        <Dialog className="confirmation">
          {({ close }) => (
            <>
              <Heading slot="title" level={3}>
                Delete all images?
              </Heading>
              <p>Your images are stored only in this browser. Deleted images can't be restored.</p>
              <div className="row">
                <Button
                  className="button small primary"
                  onPress={() => {
                    close();
                    history.clear();
                  }}
                >
                  Delete all
                </Button>
                <Button className="button small" onPress={close}>
                  Keep images
                </Button>
              </div>
            </>
          )}
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
