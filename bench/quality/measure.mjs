import { Karlo } from '../compare/package.mjs';
import { coloursOf } from './colours.mjs';
import { cases } from './prompts.mjs';
import { solutionOf } from './settings.mjs';
import { shapeOf } from './silhouettes.mjs';

const built = new URL('../../dist/lib/eval/', import.meta.url);
/** @type {typeof import('../../lib/eval/features/clip.js')} */
const { Clip } = await import(`${built}features/clip.js`);
/** @type {typeof import('../../lib/eval/metrics/frechet.js')} */
const { frechetDistance } = await import(`${built}metrics/frechet.js`);
/** @type {typeof import('../../lib/eval/metrics/statistics.js')} */
const { statisticsOf } = await import(`${built}metrics/statistics.js`);

/** @typedef {import('./prompts.mjs').Case} Case */
/** @typedef {import('./settings.mjs').Setting} Setting */
/** @typedef {import('../../lib/images/karlo-image.js').KarloImage} KarloImage */

/**
 * The measurement of a setting. Shares are 0 to 1.
 * @typedef {object} Quality
 * @property {number} prompts
 * @property {number} seconds per image
 * @property {number} background share of images whose background has the colour of the prompt
 * @property {number} colour the same of the shape
 * @property {number} shape the same of the shape's outline
 * @property {number} frechet distance to the reference images, in CLIP's image space
 * @property {number} [distance] mean distance of pixels to the ODE's solution, of 255
 */

/** Images that are generated at the same time. */
const batchSize = 8;
/** Prompts whose ODE is solved: a solution takes 1000 steps. */
const solved = 16;
/** Prompts of a measurement of time alone. */
const timed = 32;
/** The seeds of the reference images are none of those that are measured. */
const referenceSeed = 1_000_000;

/** Generates images of karlo-tiny and judges them. */
export class Judge {
  #karlo;
  #clip;
  /** @type {Map<string, Promise<KarloImage[]>>} */
  #solutions = new Map();

  /** @param {string} model its folder */
  static async load(model) {
    const karlo = await Karlo.load({ model, device: 'cpu', dtype: 'float32' });
    return new Judge(karlo, await Clip.load(model, { device: 'cpu' }));
  }

  /**
   * @param {import('../../lib/karlo.js').Karlo} karlo
   * @param {import('../../lib/eval/features/clip.js').Clip} clip
   */
  constructor(karlo, clip) {
    this.#karlo = karlo;
    this.#clip = clip;
  }

  /**
   * Embeddings of images of the preset `default`, which other settings are compared with.
   * @param {number} first
   * @param {number} count
   * @param {Pick<import('../../lib/index.js').TextToImageOptions, 'stopAfter'>} options
   */
  async reference(first, count, options) {
    const scenes = cases(first + count, referenceSeed).slice(first);
    return await this.#clip.extract(
      await this.#generate(scenes, { sampling: 'default', ...options }),
    );
  }

  /**
   * @param {Setting} setting
   * @param {number} prompts
   * @param {readonly Float32Array[]} reference
   * @returns {Promise<Quality>}
   */
  async measure(setting, prompts, reference) {
    const scenes = cases(prompts);
    const { images, seconds } = await this.#time(scenes, setting.options);
    const embeds = await this.#clip.extract(images);
    const colours = images.map(coloursOf);
    const found = images.map(shapeOf);
    const share = (/** @type {(scene: Case, i: number) => boolean} */ isRight) =>
      scenes.filter(isRight).length / prompts;
    const distance = await this.#distance(setting, scenes, images);
    return {
      ...{ prompts, seconds },
      background: share(({ background }, i) => colours[i]?.background === background),
      colour: share(({ colour }, i) => colours[i]?.shape === colour),
      shape: share(({ shape }, i) => found[i] === shape),
      frechet: await frechetDistance(statisticsOf(embeds), statisticsOf(reference)),
      ...(distance !== undefined && { distance }),
    };
  }

  /**
   * The seconds that an image takes.
   * @param {Setting} setting
   */
  async secondsOf({ options }) {
    return (await this.#time(cases(timed), options)).seconds;
  }

  /**
   * @param {readonly Case[]} scenes
   * @param {import('../../lib/index.js').TextToImageOptions} options
   */
  async #time(scenes, options) {
    const start = performance.now();
    const images = await this.#generate(scenes, options);
    return { images, seconds: (performance.now() - start) / 1000 / scenes.length };
  }

  /**
   * @param {Setting} setting
   * @param {readonly Case[]} scenes
   * @param {readonly KarloImage[]} images
   */
  async #distance(setting, scenes, images) {
    const options = solutionOf(setting);
    if (options === undefined) return undefined;
    const few = scenes.slice(0, solved);
    const key = JSON.stringify([options, few.length]);
    const solution = this.#solutions.get(key) ?? this.#generate(few, options);
    this.#solutions.set(key, solution);
    const gaps = (await solution).map(({ data }, i) => gap(data, images[i]?.data ?? data));
    return gaps.reduce((sum, one) => sum + one, 0) / gaps.length;
  }

  /**
   * One image per prompt. Calls that wait at the same time share batches.
   * @param {readonly Case[]} scenes
   * @param {import('../../lib/index.js').TextToImageOptions} options
   */
  async #generate(scenes, options) {
    const calls = scenes.map(({ prompt, seed }) =>
      this.#karlo.textToImage(prompt, { ...options, seed, batchSize }),
    );
    const results = await Promise.all(calls);
    return results.map(({ images: [image], drafts: [draft] }) => {
      return /** @type {KarloImage} */ (image ?? draft);
    });
  }

  async dispose() {
    await this.#karlo.dispose();
    await this.#clip.dispose();
  }
}

/**
 * The mean distance of pixels.
 * @param {Uint8Array} a
 * @param {Uint8Array} b
 */
function gap(a, b) {
  return a.reduce((sum, value, i) => sum + Math.abs(value - Number(b[i])), 0) / a.length;
}
