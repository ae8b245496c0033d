import { taskOptions } from '../options/descriptions.js';
import { recordedOptions } from '../options/recorded.js';
import { type ResolvedTextToImage, resolveTextToImage } from '../options/resolve-generation.js';
import type { OptionLabeler } from '../options/validate.js';
import type { TextToImageOptions } from '../safety/options.js';

/** The options of `textToImage` with which a set of images is generated: a row of the report. */
export type EvaluationSetting = Pick<
  TextToImageOptions,
  'sampling' | 'prior' | 'decoder' | 'upsample' | 'negativePrompt' | 'candidates'
>;

/** A setting, checked. */
export interface ResolvedSetting {
  /** The name of its folder: sampling preset, and the guidance scales of prior and decoder. */
  readonly name: string;
  /** The options of each call. */
  readonly options: EvaluationSetting;
  /** All options that determine the images, with their defaults. */
  readonly recorded: Readonly<Record<string, unknown>>;
  /** Steps of the stages, as in the table of Kakao Brain's README: `Prior (25) + Decoder (50) + SR (7)`. */
  readonly steps: string;
  /** Guidance scales of prior and decoder: `4 / 8`. */
  readonly guidance: string;
}

/** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT */
export function resolveSetting(options: EvaluationSetting, label: OptionLabeler): ResolvedSetting {
  const resolved = resolveTextToImage('', { ...options, seed: 0 }, { label });
  const { prior, decoder, sampling } = resolved;
  const guidance = [prior.guidanceScale, decoder.guidanceScale];
  const { batchSize: _, ...recorded }: Record<string, unknown> = {
    ...recordedOptions(taskOptions.textToImage, resolved),
    candidates: resolved.candidates,
  };
  return {
    name: [sampling, ...guidance].join('-'),
    options,
    recorded,
    steps: stepsOf(resolved),
    guidance: guidance.join(' / '),
  };
}

function stepsOf({ prior, decoder, upsample }: ResolvedTextToImage): string {
  const stages = [
    ['Prior', prior],
    ['Decoder', decoder],
    ['SR', upsample],
  ] as const;
  const steps = ({ spacing }: (typeof stages)[number][1]) => Object.values(spacing)[0];
  return stages.map(([name, stage]) => `${name} (${steps(stage)})`).join(' + ');
}
