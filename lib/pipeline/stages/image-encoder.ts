import type { Pixels } from '../../images/pixels.js';
import { preprocess } from '../../images/preprocess.js';
import type { Model } from '../../layouts/index.js';
import type { Residency } from '../../networks/residency.js';
import type { ImageFit } from '../../options/descriptions.js';
import type { Tensor } from '../../torch/tensor.js';
import { throwMissingComponent } from '../missing-component.js';
import { allOrDispose } from './all-or-dispose.js';

/** Images to CLIP image embeddings (Radford et al. 2021): the projection, not normalised. */
export class ImageEncoderStage {
  static readonly leases = [['image_encoder']] as const;
  readonly #model: Model;
  readonly #networks: Residency;

  constructor(model: Model, networks: Residency) {
    this.#model = model;
    this.#networks = networks;
  }

  /**
   * Each image is a batch of one, so that its embedding depends on no other image.
   * @returns `[1, E]` per image
   */
  async run(images: readonly Pixels[], fit: ImageFit, signal?: AbortSignal): Promise<Tensor[]> {
    const { featureExtractor, configs, folder } = this.#model;
    const config = featureExtractor ?? throwMissingComponent(folder, 'feature_extractor');
    const { image_size: edge } =
      configs.image_encoder ?? throwMissingComponent(folder, 'image_encoder');
    await using networks = await this.#networks.lease(...ImageEncoderStage.leases[0]);
    const { image_encoder: encoder } = networks;
    const encode = async (image: Pixels) => {
      using values = await preprocess([image], config, edge, fit);
      using pixels = values.to({ device: encoder.device });
      return await encoder.encode(pixels, signal);
    };
    return await allOrDispose(images.map(encode), (embeds) => embeds);
  }
}
