import {
  methodOptions,
  type OptionTable,
  optionsOfStage,
  taskOptions,
} from '../options/descriptions.js';
import type { EditMethod } from '../options/edit-method.js';
import type {
  EditOptions,
  InpaintOptions,
  MixOptions,
  TextToImageOptions,
} from '../options/types.generated.js';
import { identityLabel, knownOptions, type RawOptions } from '../options/validate.js';

/** The method of `Karlo` that generates the images of a call. */
export type Method = 'textToImage' | EditMethod;

/** What the AI SDK has fields for, and what has no place in its result. */
const excluded = [
  ...(['count', 'seed', 'prompt', 'signal', 'previews', 'stopAfter'] as const),
  // Functions, which the options of a provider cannot be.
  ...(['safety', 'promptFilter'] as const),
] as const;

/** The formats of the images. */
export const outputFormats = ['png', 'jpeg', 'webp'] as const;

/**
 * Options in `providerOptions.karlo`: those of the method that a call runs, without what the AI SDK has fields for, and
 * how images are encoded.
 */
export interface KarloImageOptions
  extends Omit<TextToImageOptions, (typeof excluded)[number]>,
    Pick<MixOptions, 'mode' | 'fit' | 'limitInputPixels' | 'limitInputSide'>,
    Pick<EditOptions, 'from' | 'to' | 'strength' | 'noise' | 'refinements'>,
    Pick<InpaintOptions, 'jumpLength' | 'resamples' | 'feather'> {
  /** Format of the images. Default `png`. */
  readonly format?: (typeof outputFormats)[number] | undefined;
  /** 1 to 100, for JPEG and WebP. Default 90. */
  readonly quality?: number | undefined;
}

const tables: Readonly<Record<Method, OptionTable>> = {
  textToImage: taskOptions.textToImage,
  imageVariation: taskOptions.imageVariation,
  imageToImage: methodOptions.imageToImage,
  mix: methodOptions.mix,
  edit: methodOptions.edit,
  inpaint: methodOptions.inpaint,
};

/** The options of a method that `providerOptions.karlo` can set. */
export function optionsOfMethod(method: Method): OptionTable {
  const options = Object.entries(tables[method]);
  return Object.fromEntries(options.filter(([name]) => !excluded.some((one) => one === name)));
}

/**
 * Checks that options have no unknown names, also in stages. Their values are checked where they are used.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
 */
export function checkNames(table: OptionTable, options: unknown, path: string): void {
  const raw = knownOptions(options, Object.keys(table), path, { path, label: identityLabel });
  for (const [name, option] of Object.entries(table)) {
    if (option.kind !== 'stage') continue;
    checkNames(optionsOfStage(option), (raw as RawOptions)[name], `${path}.${name}`);
  }
}
