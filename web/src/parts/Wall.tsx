import { Trash2 } from 'lucide-react';
import { useState } from 'react';
import { Button, Dialog, DialogTrigger, Heading, Popover } from 'react-aria-components';
import type { Run } from '../studio/runs';
import { useStudio } from '../studio/use-studio';
import { EmptyWall } from './EmptyWall';
import { PictureDialog } from './PictureDialog';
import { RunGroup } from './RunGroup';

/** Runs shown at first, and with each "Show more". */
const page = 12;

/** Which picture the dialog shows. */
export interface Place {
  run: Run;
  index: number;
}

/** The pictures: of the run at work, and of those before it. */
export function Wall() {
  const { history, work } = useStudio();
  const [shown, setShown] = useState(page);
  const [open, setOpen] = useState<{ id: string; index: number }>();
  const run = history.runs.find(({ id }) => id === open?.id);
  return (
    <section aria-labelledby="wall-title" className="wall">
      <div className="wall-head">
        <h2 id="wall-title">Pictures</h2>
        {history.runs.length > 0 && !work && <Clear />}
      </div>
      {history.runs.length === 0 && <EmptyWall />}
      {history.runs.slice(0, shown).map((run) => (
        <RunGroup
          key={run.id}
          run={run}
          work={work?.id === run.id ? work : undefined}
          onOpen={(index) => setOpen({ id: run.id, index })}
        />
      ))}
      {history.runs.length > shown && (
        <Button className="button" onPress={() => setShown(shown + page)}>
          Show more
        </Button>
      )}
      <PictureDialog
        place={run && open ? { run, index: open.index } : undefined}
        onMove={(index) => run && setOpen({ id: run.id, index })}
        onClose={() => setOpen(undefined)}
      />
    </section>
  );
}

function Clear() {
  const { history } = useStudio();
  return (
    <DialogTrigger>
      <Button className="button small quiet">
        <Trash2 aria-hidden size={16} />
        Clear
      </Button>
      <Popover className="popover" placement="bottom end">
        <Dialog className="ask">
          {({ close }) => (
            <>
              <Heading slot="title" level={3}>
                Delete all pictures?
              </Heading>
              <p>They are kept in this browser alone, and cannot be brought back.</p>
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
                  Keep them
                </Button>
              </div>
            </>
          )}
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
