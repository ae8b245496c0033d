import type { Pixels } from '../../images/pixels.js';

/** Options of a call that computes features. */
export interface FeatureOptions {
  readonly signal?: AbortSignal | undefined;
}

/** A network whose features of images are compared as distributions. */
export interface FeatureNetwork {
  /** For reports, such as `inception-2015-12-05.pt`. */
  readonly name: string;
  /** D, the number of values of a feature. */
  readonly dimensions: number;
  /**
   * The features of images of any sizes, which are resized and cropped as the network needs.
   * @returns one row of D values for each image
   */
  extract(images: readonly Pixels[], options?: FeatureOptions): Promise<Float32Array[]>;
  dispose(): Promise<void>;
}
