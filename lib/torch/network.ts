import type { ConfigValue } from './addon-types.js';
import { type Engine, engineHandleOf, submit } from './engine.js';
import { addon } from './load.js';
import { type ScriptModule, wrapModule } from './script-module.js';

/** The networks that native/nets computes. */
export type NetworkKind =
  | 'text_encoder'
  | 'image_encoder'
  | 'prior'
  | 'text_proj'
  | 'decoder'
  | 'super_res';

/** What a network needs from a checkpoint, under its Hugging Face name. */
export interface Parameter {
  name: string;
  shape: number[];
  /** Stays float32 whatever the network's dtype. */
  keepFloat32: boolean;
}

export interface TracedNetwork {
  /** Its methods, over empty parameters: assign the weights. native/export/trace.h lists them. */
  module: ScriptModule;
  parameters: Parameter[];
}

/**
 * Records a network's methods as TorchScript, without weights and so at once at any size.
 * @param config its Hugging Face config.json; absent keys have diffusers' or transformers' defaults.
 * @param methods those to be recorded; all of them, where none is named
 * @throws {KarloError} ERR_KARLO_MODEL_CORRUPT for a config that the networks do not compute
 */
export async function traceNetwork(
  kind: NetworkKind,
  config: Readonly<Record<string, ConfigValue>>,
  engine: Engine,
  methods: readonly string[] = [],
): Promise<TracedNetwork> {
  const { module, parameters } = await submit(engine, traceNetwork, {}, (id) =>
    addon().networkTrace(engineHandleOf(engine), id, kind, config, methods),
  );
  return { module: wrapModule(module, engine, 'cpu'), parameters };
}
