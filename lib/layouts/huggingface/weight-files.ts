import { type ComponentName, definitionOf } from '../../networks/registry.js';

/** The file with a component's weights, or the index of its shards. */
export interface WeightChoice {
  /** The name in the component's folder. An index ends in `.json`. */
  file: string;
  format: 'safetensors' | 'torch';
  sharded: boolean;
  /** For example `fp16` for `model.fp16.safetensors`. */
  variant?: string;
}

/**
 * `<stem>[.variant].<extension>`, or an index: `<stem>.<extension>.index[.variant].json`. Some publishers
 * write the variant of an index after the stem.
 */
const FILE =
  /^(?<stem>\w+?)(?:\.(?<before>\w+))?\.(?<extension>safetensors|bin)(?<index>\.index(?:\.(?<after>\w+))?\.json)?$/;

/**
 * Chooses one of a folder's weight files. The variant matters most (the preferred one, none, any other), then
 * the format (safetensors, pickle), then the number of files (one, shards).
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
