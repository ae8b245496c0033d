import { splitCase } from '../util/case.js';
import {
  loadOptions,
  type OptionDescription,
  type OptionTable,
  optionsOfStage,
  reconstructOptions,
  taskOptions,
} from './descriptions.js';

/** A flag of the command line, and the option that it sets. */
export interface Flag {
  /** The name in a program: `decoder.guidanceScale`. */
  readonly option: string;
  /** `--decoder-guidance`; with a short one, `-n, --count`. */
  readonly flag: string;
  readonly description: OptionDescription;
}

/** The flags of a table's options. Those of a stage begin with its name: `--decoder-steps`. */
export function flagsOf(table: OptionTable): Flag[] {
  return Object.entries(table).flatMap(([name, description]) => {
    if (description.kind !== 'stage') return flagOf(name, description);
    return flagsOf(optionsOfStage(description)).map((inner) => ({
      option: `${name}.${inner.option}`,
      flag: inner.flag.replace('--', `--${name}-`),
      description: {
        ...inner.description,
        description: `${description.label}: ${inner.description.description}`,
      },
    }));
  });
}

function flagOf(option: string, description: OptionDescription): Flag[] {
  const { kind, flag = `--${kebabCase(option)}` } = description;
  const isForPrograms = kind === 'signal' || kind === 'callback';
  return flag === false || isForPrograms ? [] : [{ option, flag, description }];
}

const all = flagsOf({
  ...reconstructOptions,
  ...taskOptions.textToImage,
  ...taskOptions.imageVariation,
  ...loadOptions,
}).map(({ option, flag }) => ({ option, flag: flag.replace(/^-\w, /, '') }));

/** Labels an option in messages by its flag: `decoder.guidanceScale` is `--decoder-guidance`. */
export function flagLabel(option: string): string {
  if (option.startsWith('prompt')) return option;
  return all.find((one) => one.option === option)?.flag ?? `--${kebabCase(option)}`;
}

/** The reverse of {@link flagLabel}. */
export function optionOfFlag(flag: string): string {
  return all.find((one) => one.flag === flag)?.option ?? flag.replace(/^--/, '');
}

function kebabCase(option: string): string {
  return splitCase(option.replace('.', '-'), '-');
}
