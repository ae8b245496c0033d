// karlo-tiny's own CLIP, which measures how far sets of images are apart.
import { Engine } from '../compare/package.mjs';

const built = new URL('../../dist/lib/', import.meta.url);
/** @type {typeof import('../../lib/images/square.js')} */
const { toSquare } = await import(`${built}images/square.js`);
/** @type {typeof import('../../lib/layouts/index.js')} */
const { openModel } = await import(`${built}layouts/index.js`);
/** @type {typeof import('../../lib/pipeline/load-networks.js')} */
const { loadNetworks } = await import(`${built}pipeline/load-networks.js`);
/** @type {typeof import('../../lib/pipeline/stages/image-encoder.js')} */
const { ImageEncoderStage } = await import(`${built}pipeline/stages/image-encoder.js`);

/** @typedef {import('../../lib/images/pixels.js').Pixels} Pixels */

export class Clip {
  #engine;
  #networks;
  #images;

  /** @param {string} folder of the model */
  static async load(folder) {
    const model = await openModel(folder);
    const engine = new Engine();
    const placement = /** @type {const} */ ({ engine, device: 'cpu', dtype: 'float32' });
    const networks = await loadNetworks(model, 'resident', placement);
    return new Clip(engine, networks, new ImageEncoderStage(model, networks));
  }

  /**
   * @param {import('../../lib/torch/index.js').Engine} engine
   * @param {import('../../lib/networks/residency.js').Residency} networks
   * @param {import('../../lib/pipeline/stages/image-encoder.js').ImageEncoderStage} images
   */
  constructor(engine, networks, images) {
    this.#engine = engine;
    this.#networks = networks;
    this.#images = images;
  }

  /**
   * The embedding of each image, of length 1.
   * @param {readonly Pixels[]} images
   */
  async embed(images) {
    const square = { ...this.#images.square, fit: /** @type {const} */ ('cover') };
    const squares = await Promise.all(images.map((image) => toSquare(image, square)));
    const embeds = await this.#images.run(squares);
    return embeds.map(unit);
  }

  async dispose() {
    await this.#networks.dispose();
    await this.#engine.dispose();
  }
}

/** @param {import('../../lib/torch/index.js').Tensor} embeds `[1, E]`; disposed */
function unit(embeds) {
  const values = /** @type {Float32Array} */ (embeds.toTypedArray());
  embeds.dispose();
  const length = Math.sqrt(dot(values, values));
  return values.map((x) => x / length);
}

/**
 * @param {Float32Array} a
 * @param {Float32Array} b
 */
function dot(a, b) {
  return a.reduce((sum, x, i) => sum + x * Number(b[i]), 0);
}
