import { useCallback, useEffect, useState } from 'react';
import { fetchModel } from '../api/client';
import { Failure } from '../api/failure';
import type { Model } from '../api/types';

/** `no-model`: the server responds, but no worker serves a model. */
export type ServerStatus = 'connecting' | 'ready' | 'no-model' | 'unreachable' | 'key-required';

/** Milliseconds between requests to a server that is not ready. */
const pollInterval = 3000;

/** The server's status and its model. A server that is not ready is polled. */
export function useServer() {
  const [model, setModel] = useState<Model>();
  const [status, setStatus] = useState<ServerStatus>('connecting');

  const poll = useCallback(async (signal?: AbortSignal) => {
    try {
      const found = await fetchModel(signal);
      if (found) setModel(found);
      setStatus(found ? 'ready' : 'no-model');
    } catch (error) {
      if (signal?.aborted) return;
      const unauthorized = error instanceof Failure && error.kind === 'unauthorized';
      setStatus(unauthorized ? 'key-required' : 'unreachable');
    }
  }, []);

  useEffect(() => {
    if (status === 'ready' || status === 'key-required') return;
    const controller = new AbortController();
    if (status === 'connecting') poll(controller.signal);
    const interval = setInterval(() => poll(controller.signal), pollInterval);
    return () => {
      clearInterval(interval);
      controller.abort();
    };
  }, [status, poll]);

  return { model, status, setStatus };
}
