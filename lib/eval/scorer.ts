import { findModel } from '../hub/store/resolve.js';
import { fingerprint } from '../layouts/fingerprint.js';
import { openClip } from '../layouts/huggingface/clip-folder.js';
import { Clip, cosines } from './features/clip.js';
import type { FeatureNetwork } from './features/feature-network.js';
import type { EvaluationPlacement } from './features/placement.js';
import { loadTorchScript } from './features/torchscript.js';
import { type ImageFile, readImages } from './read-images.js';

/** The networks of the metrics. */
export interface ScorerNetworks {
  /** A CLIP folder, or a Karlo model. */
  readonly clip: string;
  /** A TorchScript file; by default, the CLIP has its place. */
  readonly inception?: string | undefined;
}

/** A generated image, and its caption. */
export interface ScoredImage extends ImageFile {
  readonly caption: string;
}

/** What the metrics are computed from. */
export interface Scores {
  /** The cosine of each caption and its image. */
  readonly cosines: Float32Array;
  /** Of each image, for the distances; empty if there is no reference. */
  readonly features: readonly Float32Array[];
}

/** What is done with each few images. */
interface Pass {
  readonly signal: AbortSignal;
  readonly onProgress: (done: number) => void;
}

/** Computes what the metrics need of images. */
export class Scorer implements AsyncDisposable {
  /** Identifies the network of the features. */
  readonly fingerprint: string;
  readonly #clip: Clip;
  readonly #inception: FeatureNetwork | undefined;

  /** @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND, ERR_KARLO_MODEL_CORRUPT */
  static async load(
    { clip, inception }: ScorerNetworks,
    placement: EvaluationPlacement,
  ): Promise<Scorer> {
    const { folder } = await findModel(clip);
    const loaded = await Clip.load(folder, placement);
    try {
      if (inception === undefined) {
        const model = await openClip(folder);
        return new Scorer(loaded, undefined, await model.fingerprint());
      }
      const sha256 = await fingerprint(new Map([['inception', [inception]]]));
      return new Scorer(loaded, await loadTorchScript(inception, placement), sha256);
    } catch (error) {
      await loaded.dispose();
      throw error;
    }
  }

  private constructor(clip: Clip, inception: FeatureNetwork | undefined, fingerprint: string) {
    this.#clip = clip;
    this.#inception = inception;
    this.fingerprint = fingerprint;
  }

  /** The name of the CLIP. */
  get clip(): string {
    return this.#clip.name;
  }

  /** The network whose features are compared with those of the reference. */
  get features(): FeatureNetwork {
    return this.#inception ?? this.#clip;
  }

  /** The features of image files, one by one. */
  async *extract(files: readonly string[], signal: AbortSignal): AsyncGenerator<Float32Array> {
    for await (const { images } of readImages(
      files.map((file) => ({ file })),
      signal,
    )) {
      yield* await this.features.extract(images, { signal });
    }
  }

  /** @param withFeatures whether the features are needed, too */
  async score(
    files: readonly ScoredImage[],
    withFeatures: boolean,
    { signal, onProgress }: Pass,
  ): Promise<Scores> {
    const all = new Float32Array(files.length);
    const features: Float32Array[] = [];
    let done = 0;
    for await (const { files: some, images } of readImages(files, signal)) {
      const captions = some.map(({ caption }) => caption);
      const texts = await this.#clip.embedTexts(captions, { signal });
      const embeds = await this.#clip.extract(images, { signal });
      all.set(cosines(texts, embeds), done);
      if (withFeatures) {
        features.push(...((await this.#inception?.extract(images, { signal })) ?? embeds));
      }
      done += some.length;
      onProgress(done);
    }
    return { cosines: all, features };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inception?.dispose();
    await this.#clip.dispose();
  }
}
