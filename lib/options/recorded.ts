// The options that recipes store.
import type { CheckedOptions } from './check-options.js';
import {
  type OptionTable,
  type SeedOption,
  type StageOption,
  stageOptions,
} from './descriptions.js';
import type { ResolvedOptions, StageSettings } from './resolve-generation.js';
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

/** Selects the recorded options from resolved ones; undefined values are omitted. */
export function recordedOptions<T extends OptionTable>(
  table: T,
  settings: ResolvedOptions<T>,
): RecordedOptions<T> {
  return select(table, settings) as RecordedOptions<T>;
}

function select(table: OptionTable, settings: object): Record<string, unknown> {
  const values = settings as Readonly<Record<string, unknown>>;
  const recorded: Record<string, unknown> = {};
  for (const [name, { kind, recipe }] of Object.entries(table)) {
    const value = values[name];
    if (recipe === undefined || kind === 'seeds' || value === undefined) continue;
    recorded[name] = kind === 'stage' ? recordedStage(value as StageSettings) : value;
  }
  return recorded;
}

function recordedStage({ spacing, ...others }: StageSettings): Record<string, unknown> {
  return select(stageOptions, { ...spacing, ...others });
}
