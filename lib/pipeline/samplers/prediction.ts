import { type Tensor, tidy } from '../../torch/tensor.js';

/** A network's output in a step of a loop, float32. Guidance is applied when a sampler reads it. */
export class Prediction implements Disposable {
  /**
   * `[images, channels, ...]`; if there is a guidance scale, `[2 * images, channels, ...]` with the unconditional
   * half first. As many channels as x, followed by as many again if the variance is learned.
   */
  readonly output: Tensor;
  /** The scale of classifier-free guidance (Ho & Salimans 2022). */
  readonly guidanceScale: number | undefined;

  /** @param output is disposed with the prediction */
  constructor(output: Tensor, guidanceScale?: number) {
    this.output = output;
    this.guidanceScale = guidanceScale;
  }

  /**
   * The guided prediction, `unconditional + scale * (conditional - unconditional)` (eq. 6). A learned variance is
   * not part of it: it is that of the conditional half.
   * @param channels those of x
   */
  guided(channels: number): Tensor {
    const { output, guidanceScale } = this;
    const rows = output.shape[0] as number;
    return tidy(() => {
      const prediction = output.slice(1, 0, channels);
      if (guidanceScale === undefined) return prediction;
      const unconditional = prediction.slice(0, 0, rows / 2);
      const conditional = prediction.slice(0, rows / 2, rows);
      return conditional.sub(unconditional).mul(guidanceScale).add(unconditional);
    });
  }

  [Symbol.dispose](): void {
    this.output.dispose();
  }
}
