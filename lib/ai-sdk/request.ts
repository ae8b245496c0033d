import { expected } from '../errors.js';
import { qualityRange } from '../images/encode.js';
import type { OptionTable } from '../options/descriptions.js';
import { editMethodOf } from '../options/edit-method.js';
import { integer, object, oneOf, type RawOptions } from '../options/validate.js';
import { checkNames, type Method, optionsOfMethod, outputFormats } from './options.js';
import type { CallFile, CallOptions } from './types.js';

/** An image file that a call passes. */
export interface InputFile {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
}

/** A checked call of an image model. */
export interface ImageRequest {
  /** The method of `Karlo` that generates the images. */
  readonly method: Method;
  readonly prompt: string | undefined;
  readonly images: readonly InputFile[];
  readonly mask: InputFile | undefined;
  readonly count: number;
  readonly seed: number | undefined;
  readonly size: string | undefined;
  /** The options of the method in `providerOptions.karlo`. */
  readonly options: RawOptions;
  readonly table: OptionTable;
  readonly format: (typeof outputFormats)[number];
  readonly quality: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

const path = 'providerOptions.karlo';

/** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT */
export function toRequest(call: CallOptions): ImageRequest {
  const { karlo = {} } = call.providerOptions;
  const { format, quality, ...options } = object(karlo, path) as RawOptions;
  const method = methodOf(call, options);
  const table = optionsOfMethod(method);
  checkNames(table, options, path);
  return {
    method,
    prompt: promptOf(call.prompt, method),
    images: (call.files ?? []).map((file, i) => toFile(file, `prompt.images[${i}]`)),
    mask: call.mask && toFile(call.mask, 'prompt.mask'),
    count: call.n,
    seed: call.seed,
    size: call.size,
    options,
    table,
    format: oneOf(format, outputFormats, `${path}.format`, 'png'),
    quality: integer(quality, qualityRange, `${path}.quality`, undefined),
    signal: call.abortSignal,
    headers: call.headers ?? {},
  };
}

function methodOf({ files = [], mask, prompt }: CallOptions, options: RawOptions): Method {
  if (mask !== undefined && files.length !== 1) {
    throw expected('an array of 1 element', 'prompt.images', files, 'a mask belongs to one image');
  }
  if (files.length === 0) return 'textToImage';
  return editMethodOf({
    images: files.length,
    hasMask: mask !== undefined,
    hasPrompt: prompt !== undefined,
    hasTexts: options.from !== undefined || options.to !== undefined,
    hasStrength: options.strength !== undefined,
  });
}

/** In the other methods, the prompt is an optional text for the decoder. */
function promptOf(prompt: string | undefined, method: Method): string | undefined {
  const isRequired = method === 'textToImage' || method === 'inpaint';
  if (prompt !== undefined || !isRequired) return prompt;
  throw expected('string', method === 'inpaint' ? 'prompt.text' : 'prompt', prompt);
}

function toFile(file: CallFile, name: string): InputFile {
  if (file.type === 'url') {
    // Images are never downloaded implicitly.
    const fix = 'download it first, and pass its bytes';
    throw expected('bytes, Base64 or a data URL', name, file.url, fix);
  }
  const { data, mediaType } = file;
  return { bytes: typeof data === 'string' ? Buffer.from(data, 'base64') : data, mediaType };
}
