import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { Inputs } from './inputs';
import type { Run } from './runs';
import { initialSettings } from './settings';

interface Schema extends DBSchema {
  runs: { key: string; value: StoredRun };
}

/** Earlier versions of the page stored the images as `pictures`, and the image to vary as `source`. */
interface StoredRun extends Omit<Run, 'inputs' | 'images'> {
  inputs?: Inputs;
  images?: Run['images'];
  pictures?: Run['images'];
  source?: Blob;
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

async function loadRuns(): Promise<Run[]> {
  return (await (await database()).getAll('runs')).map(fromStored);
}

function fromStored({ pictures = [], source, ...run }: StoredRun): Run {
  const { images = pictures, inputs = source ? { source } : {} } = run;
  return { ...run, settings: { ...initialSettings(), ...run.settings }, images, inputs };
}

async function storeRun(run: Run): Promise<void> {
  await (await database()).put('runs', run);
}

async function deleteRuns(ids: readonly string[]): Promise<void> {
  const transaction = (await database()).transaction('runs', 'readwrite');
  await Promise.all([...ids.map((id) => transaction.store.delete(id)), transaction.done]);
}

/** The runs in the gallery, newest first. They are stored in this browser only. */
export function useRunHistory(onStorageError: (message: string) => void) {
  const [runs, setRuns] = useState<readonly Run[]>([]);
  // Events arrive faster than React renders, and each builds on the one before.
  const current = useRef<readonly Run[]>([]);

  const replace = useCallback((runs: readonly Run[]) => {
    current.current = runs.toSorted((a, b) => (a.id < b.id ? 1 : -1));
    setRuns(current.current);
  }, []);

  const guard = useCallback(
    // When storage is full or unavailable, the images remain until the page is closed.
    (work: Promise<void>) => work.catch((error: Error) => onStorageError(error.message)),
    [onStorageError],
  );

  useEffect(() => {
    const load = async () => {
      const known = new Set(current.current.map(({ id }) => id));
      const stored = await loadRuns();
      replace([...current.current, ...stored.filter(({ id }) => !known.has(id))]);
    };
    guard(load());
  }, [guard, replace]);

  /** Adds or replaces a run. */
  const put = useCallback(
    (run: Run) => {
      replace([...current.current.filter(({ id }) => id !== run.id), run]);
      guard(storeRun(run));
    },
    [guard, replace],
  );

  /** Changes a run, and returns it; undefined if it has been deleted. */
  const update = useCallback(
    (id: string, change: (run: Run) => Run): Run | undefined => {
      const run = current.current.find((run) => run.id === id);
      const changed = run && change(run);
      if (changed !== undefined && changed !== run) put(changed);
      return changed;
    },
    [put],
  );

  const remove = useCallback(
    (...ids: string[]) => {
      replace(current.current.filter(({ id }) => !ids.includes(id)));
      guard(deleteRuns(ids));
    },
    [guard, replace],
  );

  return useMemo(() => ({ runs, put, update, remove }), [runs, put, update, remove]);
}

export type RunHistory = ReturnType<typeof useRunHistory>;
