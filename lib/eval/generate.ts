import { identityLabel } from '../options/validate.js';
import { inParallel } from '../util/in-parallel.js';
import type { Shard } from './captions.js';
import { ImageSource } from './image-source.js';
import { type EvaluateOptions, type Plan, partOf, planOf } from './plan.js';

/** What a run has generated. */
export interface GeneratedImages {
  /** Images of all settings, in the output folder. */
  readonly images: number;
  /** Those of them that this run generated. */
  readonly generated: number;
}

/**
 * Generates the images of captions that are missing in the output folder, without scoring them. Machines that share the
 * folder each generate a `shard`.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT, ERR_KARLO_WRITE, ERR_KARLO_QUEUE, and the codes of `Karlo.load`
 */
export async function generateImages({
  shard,
  ...options
}: EvaluateOptions & { readonly shard?: Shard | undefined }): Promise<GeneratedImages> {
  const plan = await planOf(options, identityLabel);
  return await generateMissing(shard === undefined ? plan : partOf(plan, shard));
}

/** Generates the images of a plan that are missing. */
export async function generateMissing(plan: Plan): Promise<GeneratedImages> {
  const { captions, rows, seed, signal, onProgress } = plan;
  const total = captions.length * rows.length;
  const orders = [];
  for (const { setting, folder } of rows) {
    const missing = await folder.missing(captions);
    orders.push(...missing.map((caption) => ({ caption, setting, folder, seed })));
  }
  const counts = { images: total, generated: orders.length };
  if (orders.length === 0) return counts;
  for (const { folder } of rows) folder.create();
  onProgress({ phase: 'load', done: 0, total });
  await using source = await openSource(plan);
  if (source.model) for (const { folder } of rows) await folder.requireModel(source.model);
  let done = total - orders.length;
  const report = () => onProgress({ phase: 'generate', done, total });
  report();
  await inParallel(orders, source.concurrency, signal, async (order, either) => {
    const image = await source.generate(order, either);
    await order.folder.save(order.caption, image);
    done += 1;
    report();
  });
  return counts;
}

function openSource({ queue, load, signal, batchSize, label }: Plan): Promise<ImageSource> {
  if (queue !== undefined) return ImageSource.connect(queue);
  return ImageSource.load({ ...load, signal }, batchSize, label);
}
