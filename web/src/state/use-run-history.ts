import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import { useCallback, useEffect, useState } from 'react';
import type { Run } from './runs';

interface Schema extends DBSchema {
  runs: { key: string; value: StoredRun };
}

/** Earlier versions of the page stored the images as `pictures`. */
interface StoredRun extends Run {
  pictures?: Run['images'];
}

let opened: Promise<IDBPDatabase<Schema>> | undefined;

function database(): Promise<IDBPDatabase<Schema>> {
  opened ??= openDB<Schema>('karlo', 1, {
    upgrade: (db) => {
      db.createObjectStore('runs', { keyPath: 'id' });
    },
  });
  return opened;
}

/** The stored runs, newest first. */
async function loadRuns(): Promise<Run[]> {
  return (await (await database()).getAll('runs')).reverse().map(fromStored);
}

function fromStored({ pictures = [], ...run }: StoredRun): Run {
  return { ...run, images: run.images ?? pictures };
}

/** The runs in the gallery, newest first. They are stored in this browser only. */
export function useRunHistory(onStorageError: (message: string) => void) {
  const [runs, setRuns] = useState<Run[]>([]);

  const guard = useCallback(
    // When storage is full or unavailable, the images remain until the page is closed.
    (work: Promise<void>) => work.catch((error: Error) => onStorageError(error.message)),
    [onStorageError],
  );

  useEffect(() => {
    const load = async () => {
      const stored = await loadRuns();
      setRuns((now) => [...now, ...stored.filter(({ id }) => now.every((run) => run.id !== id))]);
    };
    guard(load());
  }, [guard]);

  /** Adds or replaces a run, and stores it if it has an image. */
  const put = useCallback(
    (run: Run) => {
      setRuns((now) => {
        const known = now.some(({ id }) => id === run.id);
        return known ? now.map((old) => (old.id === run.id ? run : old)) : [run, ...now];
      });
      const store = async () => {
        await (await database()).put('runs', run);
      };
      if (run.images.some(Boolean)) guard(store());
    },
    [guard],
  );

  const remove = useCallback(
    (id: string) => {
      setRuns((now) => now.filter((run) => run.id !== id));
      guard(database().then((db) => db.delete('runs', id)));
    },
    [guard],
  );

  const clear = useCallback(() => {
    setRuns([]);
    guard(database().then((db) => db.clear('runs')));
  }, [guard]);

  return { runs, put, remove, clear };
}
