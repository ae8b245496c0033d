import { createContext, useCallback, useContext, useEffect, useState } from 'react';
import { Failure } from '../api/failure';
import { setKey } from '../api/key';
import type { Model } from '../api/types';
import { reveal } from './browser';
import { type GeneratedImage, type Run, settingsOf } from './runs';
import { useGeneration } from './use-generation';
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

/** The state of the whole page, and its actions. */
export function useNewAppState() {
  const form = useSettings();
  const server = useServer();
  const [source, setSource] = useState<Blob>();
  const [failure, setFailure] = useState<Failure>();
  const [message, setMessage] = useState<Message>({ id: 0, text: '', visible: false });
  const announce = useCallback((text: string) => setMessage(nextMessage(text, false)), []);
  const showToast = useCallback((text: string) => setMessage(nextMessage(text, true)), []);
  const onStorageError = useCallback((message: string) => {
    setFailure((now) => now ?? new Failure('storage', message));
  }, []);
  const history = useRunHistory(onStorageError);

  const { setStatus } = server;
  const onFailure = useCallback(
    (failure: Failure) => {
      if (failure.kind === 'unauthorized') setStatus('key-required');
      else setFailure(failure);
      if (failure.kind === 'unreachable') setStatus('unreachable');
    },
    [setStatus],
  );
  const { progress, generate, cancel } = useGeneration({
    ...history,
    model: server.model,
    announce,
    onFailure,
  });

  useModelLimits(server.model, form);
  const { settings } = form;
  const ready = settings.kind === 'create' ? settings.prompt.trim() !== '' : source !== undefined;

  const start = () => {
    if (!ready || progress) return;
    setFailure(undefined);
    generate(form.nextRunSettings(), settings.kind === 'vary' ? source : undefined);
  };

  const { change, setSeedLocked } = form;
  /** Selects the image to vary. */
  const selectSource = useCallback(
    (image: Blob | undefined) => {
      setSource(image);
      if (image === undefined) return;
      change({ kind: 'vary' });
      announce('Image selected');
      reveal('.generation-form');
    },
    [change, announce],
  );

  /** Puts the settings of an image back into the form, and locks its seed. */
  const reuseSettings = (run: Run, image: GeneratedImage) => {
    change(settingsOf(run, image));
    if (run.source) setSource(run.source);
    setSeedLocked(true);
    reveal('.generation-form');
    showToast('Settings restored, seed locked');
  };

  const removeImage = (run: Run, index: number) => {
    const images = run.images.with(index, undefined);
    if (images.some(Boolean)) history.put({ ...run, images });
    else history.remove(run.id);
    showToast('Image deleted');
  };

  const enterKey = (key: string) => {
    setKey(key);
    setStatus('connecting');
  };

  return {
    ...{ form, server, history, source, failure, message, progress, ready },
    ...{ start, cancel, selectSource, reuseSettings, removeImage, enterKey, setFailure, showToast },
  };
}

/** Adjusts settings that the served model does not support: a link may be from another server. */
function useModelLimits(
  model: Model | undefined,
  { settings, change }: ReturnType<typeof useSettings>,
) {
  const { count, kind } = settings;
  useEffect(() => {
    if (model === undefined) return;
    const { max_n, text_to_image, image_variation } = model.karlo;
    if (count > max_n) change({ count: max_n });
    if (kind === 'create' && !text_to_image) change({ kind: 'vary' });
    if (kind === 'vary' && !image_variation) change({ kind: 'create' });
  }, [model, count, kind, change]);
}

export type AppState = ReturnType<typeof useNewAppState>;

export const AppContext = createContext<AppState | undefined>(undefined);

export function useAppState(): AppState {
  const state = useContext(AppContext);
  if (state === undefined) throw new Error('useAppState is called outside of AppContext');
  return state;
}
