import type { ScriptModule } from '../torch/script-module.js';
import type { ComponentName } from './components.js';
import type { Model } from './load-model.js';
import type { Placement } from './weights.js';

/** The networks of a model, ready to run. */
export type Networks = Readonly<Partial<Record<ComponentName, ScriptModule>>>;

export interface LoadProgress {
  component: ComponentName;
  /** Bytes of weights read so far, of all networks. */
  bytes: number;
}

/** Loads and freezes every network that a model folder holds. */
export async function loadNetworks(
  model: Model,
  placement: Placement,
  onProgress: (progress: LoadProgress) => void = () => {},
  signal?: AbortSignal,
): Promise<Networks> {
  const networks: Partial<Record<ComponentName, ScriptModule>> = {};
  let bytes = 0;
  for (const component of Object.keys(model.configs) as ComponentName[]) {
    signal?.throwIfAborted();
    using loaded = await model.load(component, placement, (_component, _name, count) => {
      bytes += count;
      onProgress({ component, bytes });
    });
    networks[component] = await loaded.freeze();
  }
  return networks;
}
