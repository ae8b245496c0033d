import { useCallback, useEffect, useState } from 'react';
import { fromHash, toHash } from './link';
import { initialSettings, randomSeed, type Settings } from './settings';

interface FormState {
  settings: Settings;
  /** Whether the next run uses the same seed again. */
  seedLocked: boolean;
}

function readAddress(): FormState {
  const linked = fromHash(location.hash);
  return { settings: { ...initialSettings(), ...linked }, seedLocked: linked.seed !== undefined };
}

/** The settings in the form. They and the page's address follow each other. */
export function useSettings() {
  const [{ settings, seedLocked }, setState] = useState(readAddress);

  const change = useCallback((changes: Partial<Settings>) => {
    setState((now) => ({ ...now, settings: { ...now.settings, ...changes } }));
  }, []);
  const setSeedLocked = useCallback((seedLocked: boolean) => {
    setState((now) => ({ ...now, seedLocked }));
  }, []);

  useEffect(() => {
    const onHashChange = () => setState(readAddress());
    window.addEventListener('hashchange', onHashChange);
    return () => window.removeEventListener('hashchange', onHashChange);
  }, []);

  useEffect(() => {
    // Browsers limit how often the address may change, so it does not change with every keystroke.
    const timer = setTimeout(() => {
      const hash = toHash(settings, { withSeed: seedLocked });
      history.replaceState(null, '', location.pathname + location.search + hash);
    }, 300);
    return () => clearTimeout(timer);
  }, [settings, seedLocked]);

  /** Returns the settings of the next run, with a new seed unless it is locked. */
  const nextRunSettings = useCallback((): Settings => {
    const next = seedLocked ? settings : { ...settings, seed: randomSeed() };
    change(next);
    return next;
  }, [settings, seedLocked, change]);

  return { settings, seedLocked, change, setSeedLocked, nextRunSettings };
}
