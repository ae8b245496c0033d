import type { Tensor } from '../../torch/tensor.js';
import type { Prediction } from './prediction.js';

/**
 * Turns a network's outputs into increasingly clean samples. A sampler is created for one run, so it may
 * keep state between steps: a multistep solver keeps earlier predictions.
 */
export interface Sampler {
  /** The training timestep that the network is given in each step, noisiest first. */
  readonly timesteps: readonly number[];
  /**
   * Takes one step. Steps are taken in order, each once.
   * @param x `[images, channels, ...]`, float32; standard normal noise in the first step
   * @param prediction of the network for `x`
   * @param index of the step in `timesteps`
   * @param drawNoise draws standard normal noise of x's shape. What is drawn is part of the result:
   *   a sampler that ignores noise must not draw it
   */
  step(x: Tensor, prediction: Prediction, index: number, drawNoise: () => Tensor): StepResult;
  /** Frees tensors kept between steps. A sampler that keeps none needs no such method. */
  dispose?(): void;
}

/** Both tensors belong to the caller, who disposes them. */
export interface StepResult {
  /** The sample at the next timestep. */
  readonly x: Tensor;
  /** The clean sample that the step predicted. */
  readonly x0: Tensor;
}
