import type { RawImage } from '../images/decode.js';
import type { Pixels } from '../images/pixels.js';
import { Karlo } from '../karlo.js';
import { type Task, type WeightDtype, weightDtypes } from '../options/descriptions.js';
import type { GenerationOptions } from '../options/types.generated.js';
import {
  absoluteErrors,
  type Bound,
  type Comparison,
  type Errors,
  type Finding,
  findingOf,
} from './findings.js';
import type { NetworkCheck } from './networks.js';

/** How images are generated to be compared. */
export interface ImageCheck extends Omit<NetworkCheck, 'engine'> {
  /** The model's folder. */
  readonly folder: string;
  readonly trustGraphs: boolean;
  readonly tasks: Readonly<Record<Task, boolean>>;
}

/** The pixel values of images, one after another. */
type Values = Uint8Array;

interface Run {
  readonly count: number;
  readonly batchSize: number;
}

export const PROMPT = 'a red heart on a white background';
/** Steps of each stage. Every network runs at least once. */
export const STEPS = { prior: 3, decoder: 3, upsample: 2 };

const batch = 4;

/** Compares images of a short cascade in other dtypes, batch sizes, numbers of threads, and on another device. */
export async function* checkImages(check: ImageCheck): AsyncGenerator<Finding, void> {
  const { threads, device, tasks, bounds, signal } = check;
  const task = tasks.textToImage ? 'textToImage' : 'imageVariation';
  const about = (comparison: string): Comparison => ({
    ...{ part: 'images', subject: 'short cascade', comparison },
  });
  const find = (comparison: string, bound: Bound, work: () => Promise<Errors>) =>
    findingOf(about(comparison), bound, signal, work);

  let single: Values = new Uint8Array();
  const ofFloat32: Finding[] = [];
  await withKarlo(check, { device: 'cpu', dtype: 'float32', threads }, async (karlo) => {
    const one = await draw(karlo, task, { count: batch, batchSize: 1 }, signal);
    single = one.subarray(0, one.length / batch);
    const together = () => draw(karlo, task, { count: batch, batchSize: batch }, signal);
    const comparison = `batch of ${batch} against 1`;
    ofFloat32.push(
      await find(comparison, bounds.image, async () => absoluteErrors(await together(), one)),
    );
  });
  yield* ofFloat32;

  const drawAs = (dtype: WeightDtype, device: string, threads: number) =>
    withKarlo(check, { device, dtype, threads }, (karlo) =>
      draw(karlo, task, { count: 1, batchSize: 1 }, signal),
    );
  const against = async (image: Promise<Values>) => absoluteErrors(await image, single);
  if (threads > 1) {
    yield await find(`1 thread against ${threads}`, bounds.image, () =>
      against(drawAs('float32', 'cpu', 1)),
    );
  }
  yield await find('bfloat16 against float32', bounds.roundedImage, () =>
    against(drawAs('bfloat16', 'cpu', threads)),
  );
  for (const dtype of device === 'cpu' ? [] : weightDtypes) {
    yield await find(`${dtype} on ${device} against float32 on the CPU`, bounds.roundedImage, () =>
      against(drawAs(dtype, device, threads)),
    );
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

/** Images of a prompt, or variations of an image. */
export async function draw(
  karlo: Karlo,
  task: Task,
  run: Run,
  signal: AbortSignal,
): Promise<Values> {
  const { prior, decoder, upsample } = STEPS;
  const options: GenerationOptions = {
    ...{ ...run, seed: 0, signal },
    ...{ decoder: { steps: decoder }, upsample: { steps: upsample } },
  };
  const { images } = await (task === 'textToImage'
    ? karlo.textToImage(PROMPT, { ...options, prior: { steps: prior } })
    : karlo.imageVariation(GRADIENT, options));
  return Uint8Array.from(Buffer.concat(images.map(({ data }) => data)));
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
