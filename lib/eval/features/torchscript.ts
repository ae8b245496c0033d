import type { FeatureNetwork } from './feature-network.js';
import type { EvaluationPlacement } from './clip.js';

/** How a TorchScript feature network is called. */
export interface TorchScriptOptions extends EvaluationPlacement {
  /**
   * - `stylegan`: the published `inception-2015-12-05.pt`, `forward(uint8 [N, 3, H, W], return_features=True)`
   * - `uint8`: `forward(uint8 [N, 3, H, W])`
   * - `float`: `forward(float32 [N, 3, H, W])` of values in [0, 1]
   *
   * By default `stylegan` if `forward` has such a second parameter, and `float` otherwise.
   */
  readonly input?: 'stylegan' | 'uint8' | 'float' | undefined;
  /** The side of the images in pixels, 256 by default. The short side is resized to it, and the centre cropped. */
  readonly size?: number | undefined;
  /** Images that run at the same time, 8 by default. */
  readonly batchSize?: number | undefined;
}

/**
 * Loads a TorchScript feature network, such as Inception. TorchScript is a program: load only files that you trust.
 * @param path to a file whose `forward` returns `[N, D]` or `[N, D, 1, 1]`, or a list or tuple that starts with it
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND, ERR_KARLO_MODEL_CORRUPT
 */
export async function loadTorchScript(
  path: string,
  options?: TorchScriptOptions,
): Promise<FeatureNetwork> {
  throw new Error('not yet');
}
