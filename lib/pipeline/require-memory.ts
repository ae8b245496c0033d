import { KarloError } from '../errors.js';
import type { Model } from '../layouts/index.js';
import { labelSetting, type OptionLabeler } from '../options/validate.js';
import { formatBytes } from '../util/format-bytes.js';
import type { AvailableMemory } from './available-memory.js';
import {
  draftBytes,
  largestBatch,
  type MemoryLayout,
  type MemorySettings,
  peakBytes,
} from './peak-memory.js';

/** What a call may use, and how its model is held. */
export interface MemoryContext extends MemoryLayout {
  readonly available: AvailableMemory | undefined;
  /** How messages refer to an option. */
  readonly label: OptionLabeler;
}

/** What is checked of a call. */
export interface MemoryRequest {
  readonly settings: MemorySettings & { readonly batchSize: number; readonly count: number };
  /** Number of prompts, images or drafts. */
  readonly inputs: number;
}

/**
 * Checks that a call fits into the available memory, before it starts: the system does not report that a
 * container's memory is exhausted, but kills the process.
 * @throws {KarloError} ERR_KARLO_OUT_OF_MEMORY, with what would fit
 */
export function requireMemory(
  model: Pick<Model, 'configs'>,
  { settings, inputs }: MemoryRequest,
  context: MemoryContext,
): void {
  const { available, dtype } = context;
  if (available === undefined) return;
  const { batchSize, count } = settings;
  const networks = peakBytes(model, settings, context)(batchSize);
  const images = inputs * count * resultBytes(model, settings);
  if (networks + images <= available.bytes) return;
  const batch = batchSize === 1 ? '1 image' : `${batchSize} images at once`;
  const advice = [
    ...fittingCounts(available.bytes - networks, images / count, context),
    ...fittingLayouts(model, settings, available.bytes - images, context),
  ];
  const all = `${inputs * count} in all`;
  const message = `Expected a call that fits into ${available.source}, but ${batch} in ${dtype}, ${all}, need ${formatBytes(networks + images)}. ${sentence(advice)}${available.fix}`;
  throw new KarloError('ERR_KARLO_OUT_OF_MEMORY', message);
}

function sentence(advice: readonly string[]): string {
  return advice.length === 0 ? '' : `What fits: ${advice.join('; ')}. `;
}

/** Bytes of an image in the result, or of a draft. */
function resultBytes(model: Pick<Model, 'configs'>, { stopAfter }: MemorySettings): number {
  if (stopAfter === 'decoder') return draftBytes(model);
  return 3 * (model.configs.super_res_first?.sample_size ?? 0) ** 2;
}

/** @param room bytes for the images of the result */
function fittingCounts(room: number, bytesPerCount: number, { label }: MemoryContext): string[] {
  const count = Math.floor(room / bytesPerCount);
  return count < 1 ? [] : [`a ${label('count')} of at most ${count}`];
}

/** Another way to hold the model. */
interface Alternative extends MemoryLayout {
  /** The options that select it. */
  readonly options: readonly string[];
}

/** The smallest changes of options with which a batch fits into this memory. */
function fittingLayouts(
  model: Pick<Model, 'configs'>,
  settings: MemoryRequest['settings'],
  bytes: number,
  context: MemoryContext,
): string[] {
  const { label } = context;
  const fitting = alternatives(context).map(({ options, ...layout }) => {
    const most = largestBatch(peakBytes(model, settings, layout), bytes);
    return { options, batchSize: Math.min(settings.batchSize, most) };
  });
  const isSmallest = ({ options, batchSize }: (typeof fitting)[number]) =>
    fitting.every(
      (other) =>
        other.batchSize < batchSize ||
        other.options.length >= options.length ||
        !other.options.every((one) => options.includes(one)),
    );
  return fitting
    .filter((one) => one.batchSize > 0 && isSmallest(one))
    .map(({ options, batchSize }) =>
      [
        ...options,
        ...(batchSize < settings.batchSize
          ? [`a ${label('batchSize')} of at most ${batchSize}`]
          : []),
      ].join(' with '),
    );
}

function alternatives({ device, dtype, residency, label }: MemoryContext): Alternative[] {
  const halved = labelSetting(label, 'dtype', 'bfloat16');
  const staged = labelSetting(label, 'residency', 'staged');
  const all: Alternative[] = [
    { options: [], device, dtype, residency },
    { options: [halved], device, dtype: 'bfloat16', residency },
    { options: [staged], device, dtype, residency: 'staged' },
    { options: [halved, staged], device, dtype: 'bfloat16', residency: 'staged' },
  ];
  return all.filter(
    ({ options }) =>
      (dtype === 'float32' || !options.includes(halved)) &&
      (residency === 'resident' || !options.includes(staged)),
  );
}
