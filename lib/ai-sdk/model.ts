import type { Recipe } from '../images/recipe.js';
import { generationOptions } from '../options/descriptions.js';
import type { Generation } from '../pipeline/task.js';
import { type ImageRequest, toRequest } from './request.js';
import type {
  CallOptions,
  CallResult,
  CallWarning,
  KarloImageModel,
  Specification,
} from './types.js';

/** A generated image. */
export interface OutputImage {
  /** The bytes of a file. */
  readonly data: Uint8Array;
  readonly seed: number;
  readonly recipe: Recipe | undefined;
  readonly timings: Generation['timings'];
}

/** What a call has generated. */
export interface ImageResult {
  readonly images: readonly OutputImage[];
  readonly warnings: readonly CallWarning[];
  /** The name of the model that has run. */
  readonly model: string;
  readonly usage: NonNullable<CallResult['usage']>;
  /** Those of an HTTP response. */
  readonly headers: Record<string, string> | undefined;
}

/** Generates the images of a request, in this process or on a server. */
export type Generate = (request: ImageRequest) => Promise<ImageResult>;

/** An image model of the AI SDK. A plain object, because AI SDK 7 accesses models of `v3` through a proxy. */
export function imageModel<V extends Specification>(
  specificationVersion: V,
  modelId: string,
  generate: Generate,
): KarloImageModel<V> {
  const model = {
    specificationVersion,
    provider: 'karlo',
    modelId,
    // The AI SDK passes the same seed to each call, so that a second one would repeat the images of the first.
    maxImagesPerCall: generationOptions.count.range[1],
    supportsFileInputs: true,
    supportsMaskInputs: true,
    async doGenerate(call: CallOptions): Promise<CallResult> {
      const timestamp = new Date();
      const result = await generate(toRequest(call));
      return {
        ...toCallResult(result, timestamp),
        warnings: [...checkAspectRatio(call), ...result.warnings],
      };
    },
  };
  // TypeScript cannot tell that the versions differ only in their number.
  return model as unknown as KarloImageModel<V>;
}

function toCallResult({ images, model, usage, headers }: ImageResult, timestamp: Date) {
  return {
    images: images.map(({ data }) => data),
    response: { timestamp, modelId: model, headers },
    usage,
    providerMetadata: { karlo: { images: images.map(metadataOf) } },
  };
}

/** Without undefined properties, which JSON does not have. */
function metadataOf({ seed, recipe, timings }: OutputImage) {
  return JSON.parse(JSON.stringify({ seed, timings, recipe }));
}

function checkAspectRatio({ aspectRatio }: CallOptions): CallWarning[] {
  if (aspectRatio === undefined) return [];
  const [width, height] = aspectRatio.split(':').map(Number);
  if (width === height) return [];
  const details = `Expected 1:1, because images are square, but received ${aspectRatio}`;
  return [{ type: 'unsupported', feature: 'aspectRatio', details }];
}
