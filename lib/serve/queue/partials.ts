import type { KarloImage } from '../../images/karlo-image.js';
import type { GenerationEvent } from '../../pipeline/task.js';

type StepEvent = Extract<GenerationEvent, { type: 'step' }>;

/** Chooses a few previews of each picture, evenly over the decoder's steps. */
export class PartialPicker {
  readonly #wanted: number;
  readonly #pictures: number;
  /** Pictures in a full batch. */
  #batch = 1;
  readonly #sent = new Map<number, number>();

  constructor(wanted: number, pictures: number) {
    this.#wanted = wanted;
    this.#pictures = pictures;
  }

  /** The previews of this step that are due. Of steps that were left out, the newest stands for all. */
  due({ stage, step, steps, previews = [] }: StepEvent) {
    if (stage !== 'decoder') return [];
    this.#batch = Math.max(this.#batch, previews.length);
    const perBatch = steps / Math.ceil(this.#pictures / this.#batch);
    const done = (((step - 1) % perBatch) + 1) / perBatch;
    // The last step's preview is nearly the picture itself, which follows.
    const reached = Math.min(this.#wanted, Math.floor(done * (this.#wanted + 1)));
    return previews.flatMap(({ index, image }) => this.#next(index, image, reached));
  }

  #next(index: number, image: KarloImage, reached: number) {
    const sent = this.#sent.get(index) ?? 0;
    if (sent >= reached) return [];
    this.#sent.set(index, sent + 1);
    return [{ index, image, partial: sent }];
  }
}
