import type { Pixels } from '../../images/pixels.js';
import { type Fit, preprocess } from '../../images/preprocess.js';
import type { FeatureExtractorConfig } from '../../networks/config-clip.js';
import type { ImageEncoderNetwork } from '../../networks/image-encoder.js';
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
  encoder: ImageEncoderNetwork,
  signal: AbortSignal | undefined,
): Promise<Tensor> {
  using values = await preprocess([picture], config, fit);
  using pixels = values.to({ device: encoder.device });
  return await encoder.encode(pixels, signal);
}
