import type { KarloImage } from '../../images/karlo-image.js';
import type { Karlo } from '../../karlo.js';
import type { GenerationEvent, GenerationTask } from '../../pipeline/task.js';
import type { ServedModel } from './backend.js';
import type { Job, JobEvent } from './job.js';

/** Runs jobs on a loaded model. */
export class JobRunner {
  readonly #karlo: Karlo;
  readonly #batchSize: number;

  /** @param batchSize images in one forward pass, of one job or of several */
  constructor(karlo: Karlo, batchSize: number) {
    this.#karlo = karlo;
    this.#batchSize = batchSize;
  }

  get model(): ServedModel {
    return { id: this.#karlo.model, size: this.#karlo.size, ...this.#karlo.tasks };
  }

  /** Runs a job. Its images and partial images are emitted as encoded files. */
  async run(job: Job, emit: (event: JobEvent) => void, signal: AbortSignal): Promise<void> {
    const task = this.#start(job, signal);
    const { count } = job.options;
    const previews = new PreviewSelector(job.partialImages, count);
    for await (const event of task) {
      if (event.type === 'image') {
        const { index, image } = event;
        emit({ type: 'image', index, seed: image.seed, data: await encode(image, job) });
        continue;
      }
      if (job.progress) emit(this.#stepEvent(event, count));
      for (const { index, image, partialIndex } of previews.select(event)) {
        const data = await encode(image, job, this.#karlo.size);
        emit({ type: 'partial_image', index, partialIndex, data });
      }
    }
    const { warnings, timings } = await task;
    const promptTokens = job.prompt === undefined ? 0 : this.#karlo.countTokens(job.prompt);
    emit({ type: 'completed', warnings, timings, promptTokens });
  }

  #start(job: Job, signal: AbortSignal): GenerationTask {
    const run = { batchSize: this.#batchSize, signal, previews: job.partialImages > 0 };
    const options = { ...job.options, ...run };
    if (job.task === 'imageVariation') {
      return this.#karlo.imageVariation(job.image as Uint8Array, options);
    }
    return this.#karlo.textToImage(job.prompt as string, options);
  }

  #stepEvent({ stage, step, steps }: PipelineStep, count: number): JobEvent {
    // `steps` is the total over all images. One at a time, each image takes an equal share of them.
    const index = Math.floor(((step - 1) * count) / steps);
    return { type: 'step', stage, step, steps, ...(this.#batchSize === 1 && { index }) };
  }
}

type PipelineStep = Extract<GenerationEvent, { type: 'step' }>;

/** Selects the previews that become partial images: a few of each image, spread evenly over the decoder's steps. */
class PreviewSelector {
  readonly #requested: number;
  readonly #images: number;
  /** Images in a full batch. */
  #batchSize = 1;
  readonly #sent = new Map<number, number>();

  constructor(requested: number, images: number) {
    this.#requested = requested;
    this.#images = images;
  }

  /** The previews of this step to send. Step events may have been skipped before it. */
  select({ stage, step, steps, previews = [] }: PipelineStep) {
    if (stage !== 'decoder') return [];
    this.#batchSize = Math.max(this.#batchSize, previews.length);
    const stepsPerBatch = steps / Math.ceil(this.#images / this.#batchSize);
    const done = (((step - 1) % stepsPerBatch) + 1) / stepsPerBatch;
    // The preview of the last step is nearly the image itself, which follows, so the factor is `requested + 1`.
    const due = Math.min(this.#requested, Math.floor(done * (this.#requested + 1)));
    return previews.flatMap(({ index, image }) => this.#next(index, image, due));
  }

  #next(index: number, image: KarloImage, due: number) {
    const sent = this.#sent.get(index) ?? 0;
    if (sent >= due) return [];
    this.#sent.set(index, sent + 1);
    return [{ index, image, partialIndex: sent }];
  }
}

/** @param size to which a smaller preview is enlarged, in pixels */
function encode(image: KarloImage, { format, quality }: Job, size = image.width): Promise<Buffer> {
  const options = quality === undefined ? {} : { quality };
  if (size === image.width) return image.toBuffer(format, options);
  const enlarged = image.toSharp().resize(size, size, { kernel: 'cubic' });
  return enlarged.toFormat(format, options).toBuffer();
}
