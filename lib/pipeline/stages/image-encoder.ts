import { preprocess } from '../../images/preprocess.js';
import type { SquareOptions } from '../../images/square.js';
import type { Model } from '../../layouts/index.js';
import type { Residency } from '../../networks/residency.js';
import type { Tensor } from '../../torch/tensor.js';
import { throwMissingComponent } from '../missing-component.js';
import { allOrDispose } from './all-or-dispose.js';
import { configOf } from './stage.js';

/** The squares that the encoder takes, whatever makes images square. */
export type EncoderSquare = Omit<SquareOptions, 'fit'>;

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
   * What `run` takes.
   * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND if the model has no image encoder
   */
  get square(): EncoderSquare {
    const { featureExtractor, folder } = this.#model;
    const config = featureExtractor ?? throwMissingComponent(folder, 'feature_extractor');
    return { config, edge: configOf(this.#model, 'image_encoder').image_size };
  }

  /**
   * Each image is a batch of one, so that its embedding depends on no other image.
   * @param squares RGB bytes, from `prepareImages`
   * @returns `[1, E]` per image
   */
  async run(squares: readonly Uint8Array[], signal?: AbortSignal): Promise<Tensor[]> {
    const { config, edge } = this.square;
    await using networks = await this.#networks.lease(...ImageEncoderStage.leases[0]);
    const { image_encoder: encoder } = networks;
    const encode = async (square: Uint8Array) => {
      using values = preprocess([square], config, edge);
      using pixels = values.to({ device: encoder.device });
      return await encoder.encode(pixels, signal);
    };
    return await allOrDispose(squares.map(encode), (embeds) => embeds);
  }
}
