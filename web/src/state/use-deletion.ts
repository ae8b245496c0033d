import { useCallback, useState } from 'react';
import { type ImageRef, imageCount, type Run } from './runs';
import type { RunHistory } from './use-run-history';

/** What was deleted last, and can be restored. */
interface Deleted {
  /** The runs as they were before. */
  runs: readonly Run[];
  text: string;
}

/** Deletes images, and restores those that were deleted last. */
export function useDeletion({ put, update, remove }: RunHistory) {
  const [deleted, setDeleted] = useState<Deleted>();

  const removeImage = useCallback(
    (run: Run, index: ImageRef['index']) => {
      const now = update(run.id, (run) => ({ ...run, images: run.images.with(index, undefined) }));
      // A run that works keeps its place for the images that are missing.
      if (!now?.images.some(Boolean) && !now?.unfinished) remove(run.id);
      setDeleted({ runs: [run], text: 'Image deleted' });
    },
    [update, remove],
  );

  const removeRuns = useCallback(
    (runs: readonly Run[]) => {
      remove(...runs.map(({ id }) => id));
      const count = runs.flatMap(({ images }) => images).filter(Boolean).length;
      setDeleted({ runs, text: `${imageCount(count)} deleted` });
    },
    [remove],
  );

  const undo = useCallback(() => {
    for (const run of deleted?.runs ?? []) {
      if (update(run.id, (now) => ({ ...now, images: now.images.map(restoredFrom(run)) })))
        continue;
      put(run);
    }
    setDeleted(undefined);
  }, [deleted, put, update]);

  const dismiss = useCallback(() => setDeleted(undefined), []);
  return { deleted, removeImage, removeRuns, undo, dismiss };
}

function restoredFrom({ images }: Run) {
  return (image: Run['images'][number], index: number) => image ?? images[index];
}
