import { useCallback, useRef, useState } from 'react';
import { generateImages } from '../api/client';
import { Failure } from '../api/failure';
import type { GenerationEvent, Model } from '../api/types';
import { advance, initialProgress, ProgressEstimator, type RunProgress } from './progress';
import { imageCount, newRun, type Run } from './runs';
import { requestFields, type Settings } from './settings';

interface Options {
  model: Model | undefined;
  put: (run: Run) => void;
  remove: (id: string) => void;
  announce: (text: string) => void;
  onFailure: (failure: Failure) => void;
}

/** Generates images, one run at a time. */
export function useGeneration({ model, put, remove, announce, onFailure }: Options) {
  const [progress, setProgress] = useState<RunProgress>();
  const controller = useRef<AbortController>(undefined);

  const generate = useCallback(
    async (settings: Settings, source: Blob | undefined) => {
      if (controller.current) return;
      controller.current = new AbortController();
      const { signal } = controller.current;
      let run = newRun(settings, source);
      const estimator = new ProgressEstimator(settings, model);
      put(run);
      setProgress(initialProgress(run));
      announce(`Generating ${imageCount(settings.count)}`);
      try {
        for await (const event of generateImages(requestFields(settings), source, signal)) {
          if (event.type === 'step') estimator.addStep(event);
          const next = applyEvent(run, event);
          if (next !== run) put(next);
          run = next;
          if (event.type === 'image') announce(`Image ${event.index + 1} is ready`);
          if (event.type === 'completed' && event.timings) estimator.store(event.timings);
          const { fraction, secondsLeft } = estimator;
          setProgress((now) => now && { ...advance(now, event), fraction, secondsLeft });
        }
        announce(`${imageCount(settings.count)} ready`);
      } catch (error) {
        if (signal.aborted) announce('Cancelled');
        else onFailure(error instanceof Failure ? error : new Failure('failed', String(error)));
        if (!run.images.some(Boolean)) remove(run.id);
      } finally {
        controller.current = undefined;
        setProgress(undefined);
      }
    },
    [model, put, remove, announce, onFailure],
  );

  const cancel = useCallback(() => controller.current?.abort(), []);
  return { progress, generate, cancel };
}

/** The run after an event; the same object if nothing has changed. */
function applyEvent(run: Run, event: GenerationEvent): Run {
  if (event.type === 'completed' && event.warnings.length > 0) {
    return { ...run, warnings: event.warnings };
  }
  if (event.type !== 'image') return run;
  const { index, seed, blob } = event;
  return { ...run, images: run.images.with(index, { seed, blob }) };
}
