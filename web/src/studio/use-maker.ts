import { useCallback, useRef, useState } from 'react';
import { makePictures } from '../api/client';
import { Failure } from '../api/failure';
import type { Model, PictureEvent } from '../api/types';
import { newRunId, type Run, type Work } from './runs';
import { type Settings, stageValues } from './settings';
import { Clock } from './time-left';

interface Around {
  model: Model | undefined;
  put: (run: Run, options?: { keep?: boolean }) => void;
  remove: (id: string) => void;
  say: (words: string) => void;
  onFailure: (failure: Failure) => void;
}

/** Makes one run at a time. */
export function useMaker({ model, put, remove, say, onFailure }: Around) {
  const [work, setWork] = useState<Work>();
  const controller = useRef<AbortController>(undefined);

  const make = useCallback(
    async (settings: Settings, source: Blob | undefined) => {
      if (controller.current) return;
      controller.current = new AbortController();
      const { signal } = controller.current;
      let run = emptyRun(settings, source);
      const clock = new Clock(stepsOf(settings, model));
      put(run, { keep: false });
      setWork(emptyWork(run));
      say(`Making ${count(settings.count)}`);
      try {
        for await (const event of makePictures(settings, source, signal)) {
          if (event.type === 'step') clock.see(event);
          const next = follow(run, event);
          if (next !== run) put(next);
          run = next;
          if (event.type === 'picture') say(`Picture ${event.index + 1} is ready`);
          if (event.type === 'done' && event.timings) clock.remember(event.timings);
          setWork((now) => now && { ...advance(now, event), share: clock.share, left: clock.left });
        }
        say(`${count(settings.count)} ready`);
      } catch (error) {
        if (signal.aborted) say('Cancelled');
        else onFailure(error instanceof Failure ? error : new Failure('failed', String(error)));
        if (!run.pictures.some(Boolean)) remove(run.id);
      } finally {
        controller.current = undefined;
        setWork(undefined);
      }
    },
    [model, put, remove, say, onFailure],
  );

  const cancel = useCallback(() => controller.current?.abort(), []);
  return { work, make, cancel };
}

function emptyRun(settings: Settings, source: Blob | undefined): Run {
  return {
    id: newRunId(),
    settings,
    ...(settings.kind === 'vary' && source && { source }),
    pictures: Array.from({ length: settings.count }, () => undefined),
    warnings: [],
  };
}

function emptyWork({ id }: Run): Work {
  return { id, position: 0, stage: undefined, index: undefined, previews: [], share: 0, left: undefined }; // biome-ignore format: one line
}

function follow(run: Run, event: PictureEvent): Run {
  if (event.type === 'done' && event.warnings.length > 0) {
    return { ...run, warnings: event.warnings };
  }
  if (event.type !== 'picture') return run;
  const { index, seed, blob } = event;
  return { ...run, pictures: run.pictures.with(index, { seed, blob }) };
}

function advance(work: Work, event: PictureEvent): Work {
  if (event.type === 'queued') return { ...work, position: event.position };
  if (event.type === 'step') {
    return { ...work, position: 0, stage: event.stage, index: event.index };
  }
  if (event.type !== 'preview') return work;
  const previews = [...work.previews];
  previews[event.index] = event.blob;
  return { ...work, previews };
}

function stepsOf(settings: Settings, model: Model | undefined) {
  const steps = (stage: 'prior' | 'decoder') => stageValues(stage, settings, model).steps;
  const upsample = model?.karlo.samplings[settings.sampling].upsample.steps ?? 7;
  const n = settings.count;
  return {
    prior: settings.kind === 'create' ? n * steps('prior') : 0,
    decoder: n * steps('decoder'),
    upsample: n * upsample,
  };
}

export function count(pictures: number): string {
  return pictures === 1 ? '1 picture' : `${pictures} pictures`;
}
