import type { ConfigValue } from './addon-types.js';
import { type Engine, engineHandleOf, submit } from './engine.js';
import { addon } from './load.js';
import { type ScriptModule, wrapModule } from './script-module.js';

/** A tensor that a network needs from a checkpoint, under its Hugging Face name. */
export interface Parameter {
  name: string;
  shape: number[];
  /** Whether it stays float32 regardless of the network's dtype. */
  keepFloat32: boolean;
}

export interface TracedNetwork {
  /** The traced methods over empty parameters, as native/nets/ documents them. Assign the weights before use. */
  module: ScriptModule;
  parameters: Parameter[];
}

/**
 * Traces a network's methods to TorchScript. No weights are involved, so this is fast at any size.
 * @param kind the network's name in native/nets
 * @param config the network's Hugging Face config.json; absent keys have diffusers' or transformers'
 *   defaults
 * @param methods the methods to trace; all of them if the list is empty
 * @throws {KarloError} ERR_KARLO_MODEL_CORRUPT for a config that the network does not support
 */
export async function traceNetwork(
  kind: string,
  config: Readonly<Record<string, ConfigValue>>,
  engine: Engine,
  methods: readonly string[] = [],
): Promise<TracedNetwork> {
  const { module, parameters } = await submit(engine, traceNetwork, {}, (id) =>
    addon().networkTrace(engineHandleOf(engine), id, kind, config, methods),
  );
  return { module: wrapModule(module, engine, 'cpu'), parameters };
}
