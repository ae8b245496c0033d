import { createContext, useCallback, useContext, useEffect, useState } from 'react';
import { Failure } from '../api/failure';
import { setKey } from '../api/key';
import type { Model } from '../api/types';
import { reveal } from './browser';
import { type Picture, type Run, settingsOf } from './runs';
import { useHistory } from './use-history';
import { useMaker } from './use-maker';
import { useModel } from './use-model';
import { useSettings } from './use-settings';

/** What screen readers say, and what is shown for a moment, too. */
interface Said {
  /** Tells one message from the same words said before. */
  id: number;
  words: string;
  shown: boolean;
}

function saying(words: string, shown: boolean) {
  return ({ id }: Said): Said => ({ id: id + 1, words, shown });
}

/** All that the page knows and can do. */
export function useStudioState() {
  const form = useSettings();
  const server = useModel();
  const [source, setSource] = useState<Blob>();
  const [failure, setFailure] = useState<Failure>();
  const [said, setSaid] = useState<Said>({ id: 0, words: '', shown: false });
  const say = useCallback((words: string) => setSaid(saying(words, false)), []);
  const show = useCallback((words: string) => setSaid(saying(words, true)), []);
  const trouble = useCallback((message: string) => {
    setFailure((now) => now ?? new Failure('unkept', message));
  }, []);
  const history = useHistory(trouble);

  const { setState } = server;
  const onFailure = useCallback(
    (failure: Failure) => {
      if (failure.kind === 'key') setState('key');
      else setFailure(failure);
      if (failure.kind === 'gone') setState('gone');
    },
    [setState],
  );
  const maker = useMaker({ ...history, model: server.model, say, onFailure });

  useWithin(server.model, form);
  const { settings } = form;
  const ready = settings.kind === 'create' ? settings.prompt.trim() !== '' : source !== undefined;

  const start = () => {
    if (!ready || maker.work) return;
    setFailure(undefined);
    maker.make(form.next(), settings.kind === 'vary' ? source : undefined);
  };

  const { change, setLocked } = form;
  const choose = useCallback(
    (picture: Blob | undefined) => {
      setSource(picture);
      if (picture === undefined) return;
      change({ kind: 'vary' });
      say('The picture can be varied');
      reveal('.panel');
    },
    [change, say],
  );

  /** Puts the settings that made a picture back into the form, its seed kept. */
  const again = (run: Run, picture: Picture) => {
    change(settingsOf(run, picture));
    if (run.source) setSource(run.source);
    setLocked(true);
    reveal('.panel');
    show('Its settings are back, and its seed is kept');
  };

  const removePicture = (run: Run, index: number) => {
    const pictures = run.pictures.with(index, undefined);
    if (pictures.some(Boolean)) history.put({ ...run, pictures });
    else history.remove(run.id);
    show('Deleted');
  };

  const giveKey = (key: string) => {
    setKey(key);
    server.setState('asking');
  };

  return {
    ...{ form, server, source, choose, failure, setFailure, said, show, history, ready },
    ...{ work: maker.work, cancel: maker.cancel, start, again, removePicture, giveKey },
  };
}

/** Brings the form within what the server's model makes: a link may come from elsewhere. */
function useWithin(model: Model | undefined, { settings, change }: ReturnType<typeof useSettings>) {
  const { count, kind } = settings;
  useEffect(() => {
    if (model === undefined) return;
    const { max_n, text_to_image, image_variation } = model.karlo;
    if (count > max_n) change({ count: max_n });
    if (kind === 'create' && !text_to_image) change({ kind: 'vary' });
    if (kind === 'vary' && !image_variation) change({ kind: 'create' });
  }, [model, count, kind, change]);
}

export type StudioState = ReturnType<typeof useStudioState>;

export const Studio = createContext<StudioState | undefined>(undefined);

export function useStudio(): StudioState {
  const studio = useContext(Studio);
  if (studio === undefined) throw new Error('useStudio stands outside of Studio');
  return studio;
}
