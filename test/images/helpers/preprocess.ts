import type { Pixels } from '../../../lib/images/pixels.js';
import { preprocess as ofSquares } from '../../../lib/images/preprocess.js';
import type { FeatureExtractorConfig } from '../../../lib/images/preprocessor-config.js';
import { toSquare } from '../../../lib/images/square.js';
import type { ImageFit } from '../../../lib/options/descriptions.js';
import type { Tensor } from '../../../lib/torch/tensor.js';

/** All of the preprocessing: images to squares, and squares to the encoder's input. */
export async function preprocess(
  images: readonly Pixels[],
  config: FeatureExtractorConfig,
  edge: number,
  fit: ImageFit,
): Promise<Tensor<'float32'>> {
  const squares = images.map((image) => toSquare(image, { config, edge, fit }));
  return ofSquares(await Promise.all(squares), config, edge);
}
