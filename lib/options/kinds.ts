// The kinds of option descriptions: descriptions.ts has the descriptions.
import type { SamplerName, Sampling } from './choices.js';

/** What every description has. */
interface Common {
  /** A fragment such as "number of steps": `--help` shows it as it is, other places as a sentence. */
  readonly description: string;
  /** Further sentences, in Markdown, for the API reference and docs/reference/options.md. */
  readonly details?: string;
  /** The default in words, if it is not a value. */
  readonly defaultLabel?: string;
  /** The flag, such as `-n, --count`, if it is not the name in kebab case; `false` if there is none. */
  readonly flag?: string | false;
  /** The field of an HTTP request, if it is not the name in snake case; `false` if there is none. */
  readonly http?: string | false;
  /** Whether recipes store it. `optional`: not if it has its default, and those of older versions never do. */
  readonly recipe?: 'required' | 'optional';
}

interface NumberOption extends Common {
  readonly kind: 'integer' | 'number';
  /** The smallest and the largest value. */
  readonly range: readonly [number, number];
  /** The range that the page offers, if it is narrower. */
  readonly pageRange?: readonly [number, number];
  readonly default?: number;
}

interface ChoiceOption extends Common {
  readonly kind: 'choice';
  readonly choices: readonly string[];
  readonly default?: string;
}

export interface TextOption extends Common {
  /** `respacing` is a text such as "10,10,5", `device` one such as "cuda:0". */
  readonly kind: 'text' | 'respacing' | 'device';
  readonly default?: string;
  /** Characters that an HTTP request may send. */
  readonly maxLength?: number;
  /** What the text has to match, and the same in words. */
  readonly pattern?: RegExp;
  readonly patternLabel?: string;
}

interface BooleanOption extends Common {
  readonly kind: 'boolean';
  readonly default?: boolean;
}

/** One integer, or a list of them: one for each image. */
export interface SeedOption extends Common {
  readonly kind: 'seeds';
  readonly range: readonly [number, number];
}

/** Two numbers, the first not above the second: a start and an end. */
interface IntervalOption extends Common {
  readonly kind: 'interval';
  /** The smallest and the largest value of both. */
  readonly range: readonly [number, number];
  readonly default: readonly [number, number];
}

/** A number of bytes; with a unit on the command line. */
interface BytesOption extends Common {
  readonly kind: 'bytes';
}

/** The options of a stage that a preset of `sampling` sets. */
export interface StagePreset {
  readonly steps: number;
  readonly sampler?: SamplerName;
  readonly guidanceInterval?: readonly [number, number];
  readonly guidanceRescale?: number;
}

/** An object of `stageOptions`. */
export interface StageOption extends Common {
  readonly kind: 'stage';
  /** Its name in `--help`. */
  readonly label: string;
  /** What each preset of `sampling` sets. */
  readonly presets: Readonly<Record<Sampling, StagePreset>>;
  /** The default guidance scale. */
  readonly guidanceScale: number;
  /** A stage without guidance has a guidance scale of 1, and no options for its sampler. */
  readonly hasGuidance: boolean;
  /** Options that only this stage has. */
  readonly own?: OptionTable;
}

/** A safety check: a `SafetyChecker` or a function. */
interface CheckOption extends Common {
  readonly kind: 'check';
  /** Whether it can also be the name or the folder of a safety checker. */
  readonly loads: boolean;
}

/** An AbortSignal or a function, which only a program can pass. */
interface ProgramOption extends Common {
  readonly kind: 'signal' | 'callback';
}

export type OptionDescription =
  | NumberOption
  | ChoiceOption
  | TextOption
  | BooleanOption
  | SeedOption
  | IntervalOption
  | BytesOption
  | StageOption
  | CheckOption
  | ProgramOption;

export type OptionTable = Readonly<Record<string, OptionDescription>>;
