// The options that recipes store.
import type { CheckedOptions } from './check-options.js';
import type { OptionTable, SeedOption, StageOption } from './descriptions.js';
import type { ResolvedOptions, Stage } from './generation.js';

/** The settings of one stage in a recipe. */
export type RecordedStage =
  | { steps: number; guidanceScale: number }
  | { timestepRespacing: string; guidanceScale: number };

type RecordedValue<T extends OptionTable, K extends keyof T> = T[K] extends StageOption
  ? RecordedStage
  : K extends keyof CheckedOptions<T>
    ? Exclude<CheckedOptions<T>[K], undefined>
    : never;

type RecordedNames<T extends OptionTable, R> = {
  [K in keyof T]: T[K] extends { recipe: R } ? (T[K] extends SeedOption ? never : K) : never;
}[keyof T];

/** The options of a table that a recipe stores, but for the seed: it is the image's own. */
export type RecordedOptions<T extends OptionTable> = {
  readonly [K in RecordedNames<T, 'required'>]: RecordedValue<T, K>;
} & { readonly [K in RecordedNames<T, 'optional'>]?: RecordedValue<T, K> };

/** The recorded options of resolved ones; what is undefined is left out. */
export function recordedOptions<T extends OptionTable>(
  table: T,
  settings: ResolvedOptions<T>,
): RecordedOptions<T> {
  const values = settings as Readonly<Record<string, unknown>>;
  const recorded: Record<string, unknown> = {};
  for (const [name, { kind, recipe }] of Object.entries(table)) {
    const value = values[name];
    if (recipe === undefined || kind === 'seeds' || value === undefined) continue;
    recorded[name] = kind === 'stage' ? recordedStage(value as Stage) : value;
  }
  return recorded as RecordedOptions<T>;
}

function recordedStage({ spacing, guidanceScale }: Stage): RecordedStage {
  return { ...spacing, guidanceScale };
}
