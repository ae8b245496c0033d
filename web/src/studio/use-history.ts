import { useCallback, useEffect, useState } from 'react';
import { clearRuns, deleteRun, loadRuns, saveRun } from './history';
import type { Run } from './runs';

/** The runs on the wall, newest first, kept in the browser. */
export function useHistory(onTrouble: (message: string) => void) {
  const [runs, setRuns] = useState<Run[]>([]);

  const guard = useCallback(
    (work: Promise<void>) =>
      work.catch((error: Error) => {
        // A full or private browser: the pictures stay until the page is left.
        onTrouble(error.message);
      }),
    [onTrouble],
  );

  useEffect(() => {
    const load = async () => {
      const kept = await loadRuns();
      setRuns((now) => [...now, ...kept.filter(({ id }) => now.every((run) => run.id !== id))]);
    };
    guard(load());
  }, [guard]);

  /** Puts a run in, or in place of its earlier self. One without any picture is not kept. */
  const put = useCallback(
    (run: Run, { keep = true } = {}) => {
      setRuns((now) => {
        const known = now.some(({ id }) => id === run.id);
        return known ? now.map((old) => (old.id === run.id ? run : old)) : [run, ...now];
      });
      if (keep && run.pictures.some(Boolean)) guard(saveRun(run));
    },
    [guard],
  );

  const remove = useCallback(
    (id: string) => {
      setRuns((now) => now.filter((run) => run.id !== id));
      guard(deleteRun(id));
    },
    [guard],
  );

  const clear = useCallback(() => {
    setRuns([]);
    guard(clearRuns());
  }, [guard]);

  return { runs, put, remove, clear };
}
