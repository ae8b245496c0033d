import type { ComponentConfigs } from '../config.js';
import type { ComponentName } from '../registry.js';
import { imageEncoderShapes, textEncoderShapes } from './clip.js';
import { priorShapes } from './prior.js';
import { textProjShapes } from './text-proj.js';
import { unetShapes } from './unet.js';

/** Name → shape. */
export type Shapes = ReadonlyMap<string, readonly number[]>;

const SHAPES: { [N in ComponentName]: (config: ComponentConfigs[N]) => Shapes } = {
  prior: priorShapes,
  decoder: unetShapes,
  text_proj: textProjShapes,
  super_res_first: unetShapes,
  super_res_last: unetShapes,
  text_encoder: textEncoderShapes,
  image_encoder: imageEncoderShapes,
};

/** The tensors that a component must have, under their canonical (Hugging Face) names. */
export function expectedShapes<N extends ComponentName>(
  component: N,
  config: ComponentConfigs[N],
): Shapes {
  return SHAPES[component](config);
}
