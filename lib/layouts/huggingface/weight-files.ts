import { type ComponentName, definitionOf } from '../../networks/registry.js';

/** The file, or the index of shards, that holds a component's weights. */
export interface WeightChoice {
  /** File name within the component's folder; an index ends in `.json`. */
  file: string;
  format: 'safetensors' | 'torch';
  sharded: boolean;
  /** `fp16` of `model.fp16.safetensors`. */
  variant?: string;
}

/**
 * `<stem>[.variant].<extension>`, or an index: `<stem>.<extension>.index[.variant].json`, and the
 * form with the variant first, which some publishers use.
 */
const FILE =
  /^(?<stem>\w+?)(?:\.(?<before>\w+))?\.(?<extension>safetensors|bin)(?<index>\.index(?:\.(?<after>\w+))?\.json)?$/;

/**
 * Chooses among a folder's weight files: the preferred variant, or else no variant, or else any;
 * safetensors before pickles; one file before shards.
 */
export function chooseWeights(
  component: ComponentName,
  files: readonly string[],
  variant?: string,
): WeightChoice | undefined {
  const choices = files.flatMap((file) => toChoice(component, file) ?? []);
  const rank = (choice: WeightChoice) => [
    choice.variant === variant ? 0 : choice.variant === undefined ? 1 : 2,
    choice.format === 'safetensors' ? 0 : 1,
    choice.sharded ? 1 : 0,
    choice.file,
  ];
  return choices.sort((a, b) => compare(rank(a), rank(b)))[0];
}

function toChoice(component: ComponentName, file: string): WeightChoice | undefined {
  const groups = FILE.exec(file)?.groups;
  if (!groups) return undefined;
  const format = groups.extension === 'bin' ? 'torch' : 'safetensors';
  if (!stemsOf(component, format).includes(groups.stem as string)) return undefined;
  const variant = groups.before ?? groups.after;
  const choice: WeightChoice = { file, format, sharded: groups.index !== undefined };
  return variant === undefined ? choice : { ...choice, variant };
}

function stemsOf(component: ComponentName, format: WeightChoice['format']): string[] {
  if (definitionOf(component).library === 'diffusers') return ['diffusion_pytorch_model'];
  return format === 'torch' ? ['pytorch_model'] : ['model'];
}

function compare(a: (number | string)[], b: (number | string)[]): number {
  for (const [index, left] of a.entries()) {
    const right = b[index] as number | string;
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}
