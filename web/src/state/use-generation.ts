import { useCallback, useRef, useState } from 'react';
import { generateImages } from '../api/client';
import { Failure } from '../api/failure';
import type { GenerationEvent } from '../api/types';
import { advance, initialProgress, type RunProgress } from './progress';
import { requestOf } from './request';
import { draftCount, endedRun, generatesDrafts, imageCount, type Run, requestedOf } from './runs';
import type { RunHistory } from './use-run-history';

interface Options {
  history: RunHistory;
  announce: (text: string) => void;
  onFailure: (failure: Failure, run: Run) => void;
}

/** The progress of the runs that work or wait, by their ids. */
export type ProgressByRun = Readonly<Record<string, RunProgress>>;

/** Generates images. Runs that are started while another one works wait for their turn. */
export function useGeneration({ history, announce, onFailure }: Options) {
  const { put, update, remove } = history;
  const [progress, setProgress] = useState<ProgressByRun>({});
  const controllers = useRef(new Map<string, AbortController>());
  const turns = useRef<Promise<unknown>>(Promise.resolve());

  /** Sends a run to the server when it is its turn, and applies the events to it. */
  const work = useCallback(
    async (run: Run, turn: Promise<unknown>, signal: AbortSignal) => {
      const { id } = run;
      const isDraft = generatesDrafts(run);
      const requested = requestedOf(run);
      const count = (isDraft ? draftCount : imageCount)(requested.length);
      try {
        await unlessAborted(turn, signal);
        setProgress((now) => ({ ...now, [id]: { ...initialProgress, sent: true } }));
        announce(`${run.finishing ? 'Finishing' : 'Generating'} ${count}`);
        for await (const event of generateImages(await requestOf(run), signal)) {
          update(id, (now) => applyEvent(now, event));
          setProgress((now) => ({ ...now, [id]: advance(now[id] ?? initialProgress, event) }));
          if (event.type !== 'image') continue;
          announce(`${isDraft ? 'Draft' : 'Image'} ${(requested[event.index] ?? 0) + 1} is ready`);
        }
        announce(`${count} ready`);
      } catch (error) {
        announce(signal.aborted ? 'Cancelled' : '');
        if (!signal.aborted) onFailure(toFailure(error), run);
      }
      const ended = update(id, endedRun);
      if (!ended?.images.some(Boolean)) remove(id);
      controllers.current.delete(id);
      setProgress(({ [id]: _, ...others }) => others);
    },
    [update, remove, announce, onFailure],
  );

  const generate = useCallback(
    (run: Run) => {
      if (controllers.current.has(run.id)) return;
      const started = startedRun(
        run,
        update(run.id, (now) => now),
      );
      if (started.finishing?.length === 0) return put(endedRun(started));
      const controller = new AbortController();
      controllers.current.set(run.id, controller);
      put(started);
      setProgress((now) => ({ ...now, [run.id]: initialProgress }));
      const turn = turns.current;
      turns.current = Promise.all([turn, work(started, turn, controller.signal)]);
    },
    [put, update, work],
  );

  const cancel = useCallback((id: string) => controllers.current.get(id)?.abort(), []);
  return { progress, generate, cancel };
}

/** A run that is to be sent. Of its drafts, only those that are still there are finished. */
function startedRun(run: Run, current: Run = run): Run {
  if (run.finishing === undefined) return { ...run, unfinished: true };
  const finishing = run.finishing.filter((index) => current.images[index]?.isDraft);
  return { ...current, unfinished: true, finishing };
}

/** Waits for a promise. Rejects as soon as the signal aborts. */
function unlessAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<unknown> {
  const aborted = new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  return Promise.race([promise, aborted]);
}

function toFailure(error: unknown): Failure {
  return error instanceof Failure ? error : new Failure('failed', String(error));
}

/** The run after an event; the same object if nothing has changed. */
function applyEvent(run: Run, event: GenerationEvent): Run {
  if (event.type === 'completed' && event.warnings.length > 0) {
    return { ...run, warnings: event.warnings };
  }
  if (event.type === 'animation') return { ...run, animation: event.blob };
  if (event.type !== 'image') return run;
  const { seed, blob } = event;
  const index = requestedOf(run)[event.index] ?? event.index;
  const image = { ...run.images[index], seed, blob, isDraft: generatesDrafts(run) };
  return { ...run, images: run.images.with(index, image) };
}
