import type { ScriptModule } from '../torch/script-module.js';
import { DecoderNetwork } from './decoder.js';
import { ImageEncoderNetwork } from './image-encoder.js';
import { PriorNetwork } from './prior.js';
import type { ComponentName } from './registry.js';
import { SuperResNetwork } from './super-res.js';
import { TextEncoderNetwork } from './text-encoder.js';
import { TextProjNetwork } from './text-proj.js';

const NETWORKS = {
  prior: PriorNetwork,
  decoder: DecoderNetwork,
  text_proj: TextProjNetwork,
  super_res_first: SuperResNetwork,
  super_res_last: SuperResNetwork,
  text_encoder: TextEncoderNetwork,
  image_encoder: ImageEncoderNetwork,
} satisfies Record<ComponentName, unknown>;

/** The network of each component. */
export type Networks = { [N in ComponentName]: InstanceType<(typeof NETWORKS)[N]> };

/** A component's network over its loaded module. */
export function networkOf<N extends ComponentName>(
  component: N,
  module: ScriptModule,
): Networks[N] {
  return new NETWORKS[component](module) as Networks[N];
}
