import { useCallback, useEffect, useState } from 'react';
import { fetchModel } from '../api/client';
import { Failure } from '../api/failure';
import type { Model } from '../api/types';

/** `none`: the server is there, and no worker serves a model. */
export type ServerState = 'asking' | 'ready' | 'none' | 'gone' | 'key';

/** Milliseconds between questions to a server that is not ready. */
const pause = 3000;

/** The server's model. A server that is not ready is asked again and again. */
export function useModel() {
  const [model, setModel] = useState<Model>();
  const [state, setState] = useState<ServerState>('asking');

  const ask = useCallback(async (signal?: AbortSignal) => {
    try {
      const found = await fetchModel(signal);
      if (found) setModel(found);
      setState(found ? 'ready' : 'none');
    } catch (error) {
      if (signal?.aborted) return;
      setState(error instanceof Failure && error.kind === 'key' ? 'key' : 'gone');
    }
  }, []);

  useEffect(() => {
    if (state === 'ready' || state === 'key') return;
    const controller = new AbortController();
    if (state === 'asking') ask(controller.signal);
    const interval = setInterval(() => ask(controller.signal), pause);
    return () => {
      clearInterval(interval);
      controller.abort();
    };
  }, [state, ask]);

  return { model, state, setState, ask };
}
