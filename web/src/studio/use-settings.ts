import { useCallback, useEffect, useState } from 'react';
import { fromHash, toHash } from './link';
import { initialSettings, randomSeed, type Settings } from './settings';

function fromAddress(): { settings: Settings; locked: boolean } {
  const linked = fromHash(location.hash);
  return { settings: { ...initialSettings(), ...linked }, locked: linked.seed !== undefined };
}

/** What the form holds. The address follows it, and it follows the address. */
export function useSettings() {
  const [{ settings, locked }, setState] = useState(fromAddress);

  const change = useCallback((changes: Partial<Settings>) => {
    setState((now) => ({ ...now, settings: { ...now.settings, ...changes } }));
  }, []);
  const setLocked = useCallback((locked: boolean) => {
    setState((now) => ({ ...now, locked }));
  }, []);

  useEffect(() => {
    const follow = () => setState(fromAddress());
    window.addEventListener('hashchange', follow);
    return () => window.removeEventListener('hashchange', follow);
  }, []);

  useEffect(() => {
    // Browsers refuse an address that changes with every key.
    const timer = setTimeout(() => {
      const address = location.pathname + location.search + toHash(settings, locked);
      history.replaceState(null, '', address);
    }, 300);
    return () => clearTimeout(timer);
  }, [settings, locked]);

  /** The settings of the next run: with a new seed unless it is kept. */
  const next = useCallback((): Settings => {
    const run = locked ? settings : { ...settings, seed: randomSeed() };
    change(run);
    return run;
  }, [settings, locked, change]);

  return { settings, locked, change, setLocked, next };
}
