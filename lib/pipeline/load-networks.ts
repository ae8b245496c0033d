import type { Model } from '../layouts/open-model.js';
import { type Networks, networkOf } from '../networks/networks.js';
import { type ComponentName, METHODS_OF } from '../networks/registry.js';
import { type Residency, Resident, Staged } from '../networks/residency.js';
import type { Placement } from '../networks/weights.js';
import { advisedLoading } from './memory-advice.js';
import { throwMissingComponent } from './missing-component.js';

/** How far the loading of a model is. */
export interface LoadProgress {
  /** The network that is being read. */
  component: ComponentName;
  /** Bytes of weights read so far, of all networks. */
  bytes: number;
}

/**
 * The networks of a model: all of them, loaded and frozen, or none before a stage needs it.
 * @param signal ends the loading of resident networks
 * @throws {KarloError} ERR_KARLO_OUT_OF_MEMORY, with what would help
 */
export async function loadNetworks(
  model: Model,
  residency: 'resident' | 'staged',
  placement: Placement,
  onProgress: (progress: LoadProgress) => void = () => {},
  signal?: AbortSignal,
): Promise<Residency> {
  let bytes = 0;
  const load = async <N extends ComponentName>(component: N): Promise<Networks[N]> => {
    if (!model.configs[component]) throwMissingComponent(model.folder, component);
    const methods = METHODS_OF[component];
    const onTensor = (_name: string, count: number) => {
      bytes += count;
      onProgress({ component, bytes });
    };
    using loaded = await model.load(component, placement, { onTensor, methods });
    return networkOf(component, await loaded.freeze(methods));
  };
  if (residency === 'staged') return new Staged(load);
  return await Resident.load(Object.keys(model.configs) as ComponentName[], (component) => {
    signal?.throwIfAborted();
    return load(component).catch((error) => {
      throw advisedLoading(error, placement);
    });
  });
}
