import { encodeAnimation } from '../../images/animation.js';
import { defaultQuality } from '../../images/encode.js';
import { KarloImage } from '../../images/karlo-image.js';
import { embedWatermark, requireWatermarkSize } from '../../images/watermark/embed.js';
import type { Karlo } from '../../karlo.js';
import type { GenerationTask, StepEvent } from '../../pipeline/task.js';
import type { ServedModel } from './backend.js';
import {
  animationOf,
  type ImageSize,
  type Job,
  type JobAnimation,
  type JobEvent,
  promptOf,
} from './job.js';
import { type CallInputs, readInputs, startCall } from './start-call.js';

/** Runs jobs on a loaded model. */
export class JobRunner {
  readonly #karlo: Karlo;
  readonly #batchSize: number;

  /**
   * @param batchSize images in one forward pass, of one job or of several
   * @throws {KarloError} ERR_KARLO_OUT_OF_MEMORY if such a batch cannot fit into the available memory
   */
  constructor(karlo: Karlo, batchSize: number) {
    karlo.requireBatch(batchSize);
    this.#karlo = karlo;
    this.#batchSize = batchSize;
  }

  get model(): ServedModel {
    const { model: id, size, tasks, onUnsafe } = this.#karlo;
    return { id, size, ...tasks, ...(onUnsafe && { onUnsafe }) };
  }

  /** Runs a job. Its images and partial images are emitted as encoded files. */
  async run(job: Job, emit: (event: JobEvent) => void, signal: AbortSignal): Promise<void> {
    const { call, partialImages } = job;
    const isDrafted = call.options.stopAfter !== undefined;
    const watermark = call.options.watermark as string | undefined;
    if (job.size && watermark) requireWatermarkSize(watermark, job.size.width, job.size.height);
    const inputs = await readInputs(call, job.files);
    const task = this.#start(job, inputs, signal);
    const previews = new PreviewSelector(partialImages, call.options.candidates ?? 1);
    for await (const event of task) {
      if (event.type === 'image') {
        const { index, image } = event;
        const data = await encode(isDrafted ? image : await resized(image, job.size), job);
        const unsafe = image.recipe?.verdict?.unsafe;
        emit({ type: 'image', index, seed: image.seed, unsafe, data });
        continue;
      }
      if (job.progress) emit(this.#stepEvent(event));
      for (const { index, image, partialIndex } of previews.select(event)) {
        const preview = await resized(image, job.size ?? this.#ownSize);
        emit({ type: 'partial_image', index, partialIndex, data: await encode(preview, job) });
      }
    }
    const { images, warnings, timings } = await task;
    const animation = animationOf(call);
    if (animation) {
      const frames = await Promise.all(images.map((image) => resized(image, job.size)));
      emit({ type: 'animation', data: await animate(frames, animation, job) });
    }
    const prompt = promptOf(call);
    const promptTokens = prompt === undefined ? 0 : this.#karlo.countTokens(prompt);
    emit({ type: 'completed', warnings, timings, promptTokens });
  }

  get #ownSize(): ImageSize {
    const { size } = this.#karlo;
    return { width: size, height: size };
  }

  #start({ call, partialImages }: Job, inputs: CallInputs, signal: AbortSignal): GenerationTask {
    const run = { batchSize: this.#batchSize, signal, previews: partialImages > 0 };
    return startCall(this.#karlo, call, inputs, { ...call.options, ...run });
  }

  #stepEvent({ type, stage, step, steps, fraction, secondsLeft, batch }: StepEvent): JobEvent {
    const [index = 0] = batch.images;
    return {
      ...{ type, stage, step, steps, fraction, secondsLeft },
      ...(this.#batchSize === 1 && { index }),
    };
  }
}

/**
 * Selects the previews that become partial images: a few of each image, spread evenly over the decoder's
 * steps of all its candidates.
 */
class PreviewSelector {
  readonly #requested: number;
  readonly #candidates: number;
  readonly #sent = new Map<number, number>();

  constructor(requested: number, candidates: number) {
    this.#requested = requested;
    this.#candidates = candidates;
  }

  /** The previews of this step to send. Step events may have been skipped before it. */
  select({ stage, batch, previews = [] }: StepEvent) {
    if (stage !== 'decoder') return [];
    return previews.flatMap(({ index, image }, i) => {
      const candidate = batch.candidates[i] as number;
      const done = (candidate + batch.step / batch.steps) / this.#candidates;
      // The preview of the last step is nearly the image itself, which follows, so the factor is `requested + 1`.
      const due = Math.min(this.#requested, Math.floor(done * (this.#requested + 1)));
      return this.#next(index, image, due);
    });
  }

  #next(index: number, image: KarloImage, due: number) {
    const sent = this.#sent.get(index) ?? 0;
    if (sent >= due) return [];
    this.#sent.set(index, sent + 1);
    return [{ index, image, partialIndex: sent }];
  }
}

function encode(image: KarloImage, { format, quality }: Job): Promise<Buffer> {
  return image.toBuffer(format, quality === undefined ? {} : { quality });
}

/** An image in another size, cropped in the middle if the shape differs. */
async function resized(image: KarloImage, size: ImageSize | undefined): Promise<KarloImage> {
  const { width, height } = size ?? image;
  if (width === image.width && height === image.height) return image;
  const pipeline = image.toSharp().resize(width, height, { fit: 'cover', kernel: 'lanczos3' });
  const { data } = await pipeline.raw().toBuffer({ resolveWithObject: true });
  const { seed, recipe, digitalSourceType } = image;
  const pixels = { width, height, data: Uint8Array.from(data) };
  // Resizing has removed the watermark.
  const marked = recipe?.watermark ? embedWatermark(pixels, recipe.watermark) : pixels;
  return new KarloImage(marked, seed, recipe, digitalSourceType);
}

function animate(
  images: readonly KarloImage[],
  { format, framesPerSecond }: JobAnimation,
  { quality = defaultQuality }: Job,
): Promise<Buffer> {
  return encodeAnimation(images, format, { framesPerSecond, quality });
}
