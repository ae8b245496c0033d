import type { KarloImage } from '../../images/karlo-image.js';
import type { Karlo } from '../../karlo.js';
import type { GenerationTask } from '../../pipeline/task.js';
import type { Job, JobEvent } from './job.js';
import { PartialPicker } from './partials.js';

/** Who makes the pictures. */
export interface Maker {
  readonly karlo: Karlo;
  /** Pictures that go through the networks at once: of one job, or of several. */
  readonly batchSize: number;
}

/** Does a job: its pictures and previews come out as the bytes of files. */
export async function runJob(
  { karlo, batchSize }: Maker,
  job: Job,
  emit: (event: JobEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  const task = start(karlo, job, { batchSize, signal });
  const { count } = job.options;
  const picker = new PartialPicker(job.partials, count);
  for await (const event of task) {
    if (event.type === 'image') {
      const { index, image } = event;
      emit({ type: 'picture', index, seed: image.seed, data: await encode(image, job) });
      continue;
    }
    const { stage, step, steps } = event;
    // Each picture has as many steps of a stage as the others.
    const alone = batchSize === 1 ? { index: Math.floor(((step - 1) * count) / steps) } : {};
    if (job.steps) emit({ type: 'step', stage, step, steps, ...alone });
    for (const { index, image, partial } of picker.due(event)) {
      emit({ type: 'partial', index, partial, data: await encode(image, job, karlo.size) });
    }
  }
  const { warnings, timings } = await task;
  const tokens = job.prompt === undefined ? 0 : karlo.countTokens(job.prompt);
  emit({ type: 'done', warnings, timings, tokens });
}

function start(
  karlo: Karlo,
  job: Job,
  run: { batchSize: number; signal: AbortSignal },
): GenerationTask {
  const { prior, ...rest } = job.options;
  const options = { ...rest, ...run, previews: job.partials > 0 };
  if (job.kind === 'image-variation') return karlo.imageVariation(job.image as Uint8Array, options);
  return karlo.textToImage(job.prompt as string, { ...options, ...(prior && { prior }) });
}

/** @param size what a small preview is enlarged to, in pixels */
function encode(image: KarloImage, { format, quality }: Job, size = image.width): Promise<Buffer> {
  const options = quality === undefined ? {} : { quality };
  if (size === image.width) return image.toBuffer(format, options);
  const picture = image.toSharp().resize(size, size, { kernel: 'cubic' });
  return picture.toFormat(format, options).toBuffer();
}
