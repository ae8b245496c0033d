// The types of the AI SDK, taken from the version that the user has installed.
import type { ImageModel } from 'ai';

/** A version of the AI SDK's specification of image models: AI SDK 6 and 7 accept `v3`, AI SDK 7 also `v4`. */
export type Specification = 'v3' | 'v4';

/** An image model of the AI SDK. */
export type KarloImageModel<V extends Specification = 'v3'> = Extract<
  Exclude<ImageModel, string>,
  { readonly specificationVersion: V }
>;

type Generate = KarloImageModel['doGenerate'];

/** What `generateImage` passes to a model. The versions of the specification have the same call. */
export type CallOptions = Parameters<Generate>[0];
export type CallResult = Awaited<ReturnType<Generate>>;
export type CallFile = NonNullable<CallOptions['files']>[number];
export type CallWarning = CallResult['warnings'][number];
