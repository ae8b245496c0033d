import type { Model } from '../layouts/index.js';
import type { Placement } from '../networks/placement.js';
import {
  type ComponentName,
  definitionOf,
  type Networks,
  networkOf,
} from '../networks/registry.js';
import { type Residency, Resident, Staged } from '../networks/residency.js';
import type { ResidencyMode } from '../options/descriptions.js';
import { identityLabel, type OptionLabeler } from '../options/validate.js';
import { withLoadingAdvice } from './memory-advice.js';
import { throwMissingComponent } from './missing-component.js';

/** Progress of loading a model. */
export interface LoadProgress {
  /** The network that is being read. */
  component: ComponentName;
  /** Bytes of weights read so far, over all networks. */
  bytes: number;
}

/** What the caller of `loadNetworks` may set. */
export interface LoadingOptions {
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
  /** Aborts the loading of resident networks. */
  readonly signal?: AbortSignal | undefined;
  /** How messages refer to an option; by default, by its API name. */
  readonly label?: OptionLabeler;
}

/**
 * Loads and freezes all networks of a model if they are to be resident. Staged networks are loaded
 * when a stage needs them.
 * @throws {KarloError} ERR_KARLO_OUT_OF_MEMORY, with advice
 */
export async function loadNetworks(
  model: Model,
  residency: ResidencyMode,
  placement: Placement,
  { onProgress, signal, label = identityLabel }: LoadingOptions = {},
): Promise<Residency> {
  let bytes = 0;
  const load = async <N extends ComponentName>(
    component: N,
    signal?: AbortSignal,
  ): Promise<Networks[N]> => {
    if (!model.configs[component]) throwMissingComponent(model.folder, component);
    const { methods, step } = definitionOf(component);
    const onTensor = (_name: string, count: number) => {
      bytes += count;
      onProgress?.({ component, bytes });
    };
    using loaded = await model.load(component, placement, { onTensor, methods, signal });
    // Staged networks are loaded again for the next image: their graphs would cost memory, and end with them.
    const cudaGraphs = residency === 'resident' && step ? [step] : [];
    return networkOf(component, await loaded.freeze(methods, { cudaGraphs }));
  };
  if (residency === 'staged') return new Staged((component) => load(component));
  return await Resident.load(Object.keys(model.configs) as ComponentName[], (component) => {
    signal?.throwIfAborted();
    return load(component, signal).catch((error) => {
      throw withLoadingAdvice(error, { ...placement, label });
    });
  });
}
