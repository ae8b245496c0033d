import type { RawImage } from '../images/decode.js';
import type { Pixels } from '../images/pixels.js';
import { Karlo } from '../karlo.js';
import { type Task, type WeightDtype, weightDtypes } from '../options/descriptions.js';
import type { TextToImageOptions } from '../options/types.generated.js';
import { absoluteErrors, type Bound, type Finding, findingOf } from './findings.js';
import type { NetworkCheck } from './networks.js';

/** How images are generated to be compared. */
export interface ImageCheck extends Omit<NetworkCheck, 'engine'> {
  /** The model's folder. */
  readonly folder: string;
  readonly trustGraphs: boolean;
  readonly tasks: Readonly<Record<Task, boolean>>;
}

export const PROMPT = 'a red heart on a white background';
/** Enough that rounding is not amplified to more than a level: the images of fewer steps depend on it. */
const fewSteps = { prior: { steps: 10 }, decoder: { steps: 10 }, upsample: { steps: 7 } };

/** The images of a batch. The last one is compared. */
const seeds = [0, 1, 2, 3];
const last = seeds.slice(-1);

/** Compares an image of a short cascade in other dtypes, batch sizes, numbers of threads, and on another device. */
export async function* checkImages(check: ImageCheck): AsyncGenerator<Finding, void> {
  const { threads, device, tasks, bounds, signal } = check;
  const task = tasks.textToImage ? 'textToImage' : 'imageVariation';
  const drawLast = async (karlo: Karlo, seeds: readonly number[]) => {
    const options = { ...fewSteps, seed: seeds, count: seeds.length, batchSize: seeds.length };
    return (await draw(karlo, task, { ...options, signal })).at(-1) as Uint8Array;
  };
  const cpu: Place = { device: 'cpu', dtype: 'float32', threads };
  const [image, inBatch] = await withKarlo(check, cpu, async (karlo) => [
    await drawLast(karlo, last),
    await drawLast(karlo, seeds),
  ]);
  const find = (comparison: string, bound: Bound, work: () => Promise<Uint8Array>) =>
    findingOf({ part: 'images', subject: 'short cascade', comparison }, bound, signal, async () =>
      absoluteErrors(await work(), image as Uint8Array),
    );
  const drawAt = (place: Place) => withKarlo(check, place, (karlo) => drawLast(karlo, last));

  yield find('bfloat16 against float32', bounds.roundedImage, () =>
    drawAt({ ...cpu, dtype: 'bfloat16' }),
  );
  yield find(`batch of ${seeds.length} against 1`, bounds.image, async () => inBatch as Uint8Array);
  if (threads > 1) {
    yield find(`1 thread against ${threads}`, bounds.image, () => drawAt({ ...cpu, threads: 1 }));
  }
  for (const dtype of device === 'cpu' ? [] : weightDtypes) {
    const comparison = `${dtype} on ${device} against float32 on the CPU`;
    yield find(comparison, bounds.roundedImage, () => drawAt({ device, dtype, threads }));
  }
}

interface Place {
  readonly device: string;
  readonly dtype: WeightDtype;
  readonly threads: number;
}

export async function withKarlo<T>(
  { folder, trustGraphs, signal }: ImageCheck,
  place: Place,
  work: (karlo: Karlo) => Promise<T>,
): Promise<T> {
  await using karlo = await Karlo.load({ model: folder, trustGraphs, signal, ...place });
  return await work(karlo);
}

/** The pixels of images of a prompt, or of variations of an image. */
export async function draw(
  karlo: Karlo,
  task: Task,
  { prior, ...options }: TextToImageOptions,
): Promise<Uint8Array[]> {
  const { images } = await (task === 'textToImage'
    ? karlo.textToImage(PROMPT, { ...options, ...(prior && { prior }) })
    : karlo.imageVariation(GRADIENT, options));
  return images.map(({ data }) => data);
}

/** An image that every model can vary. */
export const GRADIENT: RawImage & Pixels = gradient(64);

function gradient(side: number): RawImage & Pixels {
  const data = Uint8Array.from({ length: 3 * side * side }, (_, i) => {
    const [pixel, channel] = [Math.floor(i / 3), i % 3];
    const [x, y] = [pixel % side, Math.floor(pixel / side)];
    return [4 * x, 4 * y, 2 * (x + y)][channel] as number;
  });
  return { data, width: side, height: side, channels: 3 };
}
