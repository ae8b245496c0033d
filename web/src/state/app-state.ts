import { createContext, useCallback, useContext, useEffect, useState } from 'react';
import { Failure } from '../api/failure';
import { setKey } from '../api/key';
import type { Model } from '../api/types';
import { reveal } from './browser';
import { missingInput } from './inputs';
import { type GeneratedImage, type ImageRef, newRun, type Run, settingsOf } from './runs';
import type { Kind } from './settings';
import { useDeletion } from './use-deletion';
import { useGeneration } from './use-generation';
import { useInputs } from './use-inputs';
import { useRunHistory } from './use-run-history';
import { useServer } from './use-server';
import { useSettings } from './use-settings';

/** A message for screen readers, which may also be visible as a toast. */
interface Message {
  /** Distinguishes a repeated message from the earlier one. */
  id: number;
  text: string;
  visible: boolean;
}

function nextMessage(text: string, visible: boolean) {
  return ({ id }: Message): Message => ({ id: id + 1, text, visible });
}

/** A failure, and the run that failed, if any. */
interface FailedRun {
  failure: Failure;
  run?: Run;
}

/** The state of the whole page, and its actions. */
export function useNewAppState() {
  const form = useSettings();
  const server = useServer();
  const inputs = useInputs(server.model);
  const [failed, setFailed] = useState<FailedRun>();
  const [compared, setCompared] = useState<readonly ImageRef[]>([]);
  const [message, setMessage] = useState<Message>({ id: 0, text: '', visible: false });
  const announce = useCallback((text: string) => setMessage(nextMessage(text, false)), []);
  const showToast = useCallback((text: string) => setMessage(nextMessage(text, true)), []);
  const onStorageError = useCallback((message: string) => {
    setFailed((now) => now ?? { failure: new Failure('storage', message) });
  }, []);
  const history = useRunHistory(onStorageError);
  const deletion = useDeletion(history);

  const { setStatus } = server;
  const onFailure = useCallback(
    (failure: Failure, run: Run) => {
      if (failure.kind === 'unauthorized') setStatus('key-required');
      else setFailed({ failure, run });
      if (failure.kind === 'unreachable') setStatus('unreachable');
    },
    [setStatus],
  );
  const { progress, generate, cancel } = useGeneration({ history, announce, onFailure });

  useModelLimits(server.model, form);
  const { settings } = form;
  const missing = missingInput(settings, inputs);

  const start = async () => {
    if (missing !== undefined) return;
    setFailed(undefined);
    generate(newRun(form.nextRunSettings(), await inputs.inputsOf(settings.kind)));
  };

  /** Sends a run again. Its seed is the same, and so are its images. */
  const retry = (run: Run) => {
    setFailed(undefined);
    generate(run);
  };

  /** Finishes drafts of a run, which their images replace. */
  const finish = (run: Run, finishing: readonly number[]) => retry({ ...run, finishing });

  const { change, setSeedLocked } = form;
  const { addImage } = inputs;
  /** Gives an image to a tab, and opens that tab. */
  const selectImage = useCallback(
    async (image: Blob, kind: Kind) => {
      change({ kind });
      if (await addImage(image, kind)) announce('Image selected');
      reveal('.generation-form');
    },
    [change, addImage, announce],
  );

  /** Puts the settings of an image back into the form, and locks its seed. */
  const reuseSettings = async (run: Run, image: GeneratedImage) => {
    change(settingsOf(run, image));
    await inputs.restoreInputs(run.inputs);
    setSeedLocked(true);
    reveal('.generation-form');
    showToast('Settings restored, seed locked');
  };

  const toggleFavourite = ({ runId, index }: ImageRef) =>
    history.update(runId, (run) => {
      const image = run.images[index];
      if (image === undefined) return run;
      return { ...run, images: run.images.with(index, { ...image, favourite: !image.favourite }) };
    });

  /** Selects an image to compare. With the second one, the comparison opens. */
  const compare = (image: ImageRef) =>
    setCompared((now) => {
      const others = now.filter(
        ({ runId, index }) => runId !== image.runId || index !== image.index,
      );
      return others.length < now.length ? others : [...now, image].slice(-2);
    });

  const enterKey = (key: string) => {
    setKey(key);
    setStatus('connecting');
  };

  return {
    ...{ form, server, inputs, history, deletion, failed, message, progress, missing, compared },
    ...{
      start,
      retry,
      finish,
      cancel,
      selectImage,
      reuseSettings,
      toggleFavourite,
      compare,
      enterKey,
    },
    ...{ setFailed, setCompared, showToast },
  };
}

/** Adjusts settings that the served model does not support: a link may be from another server. */
function useModelLimits(
  model: Model | undefined,
  { settings, change }: ReturnType<typeof useSettings>,
) {
  const { count, kind, candidates } = settings;
  useEffect(() => {
    if (model === undefined) return;
    const { max_n, text_to_image, image_variation } = model.karlo;
    if (count > max_n) change({ count: max_n });
    if (!canRun(kind, model)) change({ kind: text_to_image ? 'create' : 'vary' });
    if (candidates > 1 && !image_variation) change({ candidates: 1 });
  }, [model, count, kind, candidates, change]);
}

/** Whether a model has the networks for a kind of run, whatever its inputs are. */
export function canRun(kind: Kind, { karlo }: Model): boolean {
  if (kind === 'create') return karlo.text_to_image;
  return kind === 'vary' ? karlo.image_variation : true;
}

export type AppState = ReturnType<typeof useNewAppState>;

export const AppContext = createContext<AppState | undefined>(undefined);

export function useAppState(): AppState {
  const state = useContext(AppContext);
  if (state === undefined) throw new Error('useAppState is called outside of AppContext');
  return state;
}
