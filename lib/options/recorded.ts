// The options that recipes store.
import type { CheckedOptions } from './check-options.js';
import {
  type OptionDescription,
  type OptionTable,
  type Sampling,
  type SeedOption,
  type StageOption,
  stageOptions,
} from './descriptions.js';
import type { ResolvedOptions } from './resolve-generation.js';
import { type StageSettings, samplingTable } from './resolve-stages.js';
import type { RecordedStage } from './types.generated.js';

type RecordedValue<T extends OptionTable, K extends keyof T> = T[K] extends StageOption
  ? RecordedStage
  : K extends keyof CheckedOptions<T>
    ? Exclude<CheckedOptions<T>[K], undefined>
    : never;

type RecordedNames<T extends OptionTable, R> = {
  [K in keyof T]: T[K] extends { recipe: R } ? (T[K] extends SeedOption ? never : K) : never;
}[keyof T];

/** The options of a table that a recipe stores, except the seed, which is that of the image. */
export type RecordedOptions<T extends OptionTable> = {
  readonly [K in RecordedNames<T, 'required'>]: RecordedValue<T, K>;
} & { readonly [K in RecordedNames<T, 'optional'>]?: RecordedValue<T, K> };

/** Selects the recorded options from resolved ones. Optional ones are omitted if they have their default. */
export function recordedOptions<T extends OptionTable>(
  table: T,
  settings: ResolvedOptions<T>,
): RecordedOptions<T> {
  return select(table, settings) as RecordedOptions<T>;
}

type Values = Readonly<Record<string, unknown>>;

function select(table: OptionTable, settings: object): Record<string, unknown> {
  const values = settings as Values;
  const recorded: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(table)) {
    const value = values[name];
    if (option.recipe === undefined || option.kind === 'seeds' || value === undefined) continue;
    if (option.recipe === 'optional' && hasDefault(option, value)) continue;
    recorded[name] =
      option.kind === 'stage' ? recordedStage(option, value as StageSettings, values) : value;
  }
  return recorded;
}

function hasDefault(option: OptionDescription, value: unknown): boolean {
  return 'default' in option && JSON.stringify(option.default) === JSON.stringify(value);
}

function recordedStage(
  stage: StageOption,
  { spacing, sampler, ...others }: StageSettings,
  { sampling }: Values,
): Record<string, unknown> {
  const { name, eta } = sampler;
  const table = { ...stageOptions, ...samplingTable(stage, sampling as Sampling, spacing) };
  return select(table, { ...spacing, sampler: name, eta, ...others });
}
