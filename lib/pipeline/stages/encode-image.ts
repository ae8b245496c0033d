import type { Pixels } from '../../images/pixels.js';
import { type Fit, preprocess } from '../../images/preprocess.js';
import type { FeatureExtractorConfig } from '../../networks/config-clip.js';
import type { ScriptModule } from '../../torch/script-module.js';
import type { Tensor } from '../../torch/tensor.js';

/**
 * The CLIP image embedding of a picture: the raw projection, not normalised. It is a batch of its own:
 * what the encoder makes of a picture must not hang on others.
 * @returns `[1, E]`
 */
export async function encodeImage(
  picture: Pixels,
  fit: Fit,
  config: FeatureExtractorConfig,
  encoder: ScriptModule,
  signal: AbortSignal | undefined,
): Promise<Tensor> {
  using values = await preprocess([picture], config, fit);
  using pixels = values.to({ device: encoder.device });
  return await encoder.run<Tensor>('forward', [pixels], { signal });
}
