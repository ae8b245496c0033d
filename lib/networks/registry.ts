import type { z } from 'zod';
import type { ScriptModule } from '../torch/script-module.js';
import { checkConfig } from './config.js';
import { decoder } from './decoder.js';
import { imageEncoder } from './image-encoder.js';
import type { NetworkDefinition, Task } from './network.js';
import { prior } from './prior.js';
import { superRes } from './super-res.js';
import { textEncoder } from './text-encoder.js';
import { textProj } from './text-proj.js';

export type { Task };

/** The networks of a model in the order in which they run, by their folders in the Hugging Face layout. */
const NETWORKS = {
  image_encoder: imageEncoder,
  text_encoder: textEncoder,
  prior,
  decoder,
  text_proj: textProj,
  super_res_first: superRes,
  super_res_last: superRes,
};

/** A network by the name of its folder in the Hugging Face layout. */
export type ComponentName = keyof typeof NETWORKS;

export const COMPONENTS = Object.keys(NETWORKS) as readonly ComponentName[];

/** The parsed `config.json` of each network. */
export type ComponentConfigs = {
  [N in ComponentName]: z.output<(typeof NETWORKS)[N]['config']>;
};

/** The class of each network. */
export type Networks = { [N in ComponentName]: InstanceType<(typeof NETWORKS)[N]['Network']> };

export function definitionOf<N extends ComponentName>(
  component: N,
): NetworkDefinition<ComponentConfigs[N], Networks[N]> {
  return NETWORKS[component] as unknown as NetworkDefinition<ComponentConfigs[N], Networks[N]>;
}

/** The networks that each task needs, without optional ones. */
export const NETWORKS_OF: Readonly<Record<Task, readonly ComponentName[]>> = {
  textToImage: networksOf('textToImage'),
  imageVariation: networksOf('imageVariation'),
};

function networksOf(task: Task): ComponentName[] {
  return COMPONENTS.filter((name) => {
    const { tasks, optional } = definitionOf(name);
    return tasks.includes(task) && !optional;
  });
}

/** Checks a network's config, and adds the library's defaults for missing keys. */
export function parseConfig<N extends ComponentName>(
  component: N,
  value: unknown,
  file: string,
): ComponentConfigs[N] {
  return checkConfig(definitionOf(component).config, value, file);
}

/** Wraps a loaded module in its network's class. */
export function networkOf<N extends ComponentName>(
  component: N,
  module: ScriptModule,
): Networks[N] {
  return new (definitionOf(component).Network)(module);
}
