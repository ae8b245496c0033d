// Every option, described once. What follows from these tables: the checks of a program's options
// (resolve-generation.ts, resolve-load.ts), the flags of the command line (flags.ts), the fields of HTTP requests and
// recipes (schema.ts), the form of the page (web/src/state/settings.ts), the types of the API (types.generated.ts) and
// the tables of docs/reference/options.md.
//
// `npm run options` writes the last two. The types could also be inferred from the tables, but then each description
// would need a copy in a comment, for editors and the API reference to show.
//
// Plain data: the page bundles this file, and `import 'karlo'` loads it, so no zod here.

import type { Task } from './choices.js';
import type { OptionTable } from './kinds.js';
import {
  editOptions,
  fromEmbeddingOptions,
  imageToImageOptions,
  inpaintOptions,
  interpolateOptions,
  mixOptions,
} from './tables/clip-space.js';
import {
  generationOptions,
  imageVariationOptions,
  textToImageOptions,
} from './tables/generation.js';

export * from './choices.js';
export type * from './kinds.js';
export * from './tables/clip-space.js';
export * from './tables/environment.js';
export * from './tables/evaluation.js';
export * from './tables/generation.js';
export * from './tables/load.js';
export * from './tables/stages.js';

/** A description as a sentence. */
export function sentence(fragment: string): string {
  return `${fragment[0]?.toUpperCase()}${fragment.slice(1)}.`;
}

/** All options of each task. */
export const taskOptions = {
  textToImage: { ...generationOptions, ...textToImageOptions },
  imageVariation: { ...generationOptions, ...imageVariationOptions },
} as const satisfies Record<Task, OptionTable>;

/** All options of the methods that generate images in further ways. */
export const methodOptions = {
  fromEmbedding: { ...generationOptions, ...fromEmbeddingOptions },
  mix: { ...generationOptions, ...mixOptions },
  interpolate: interpolateOptions,
  edit: { ...generationOptions, ...editOptions },
  imageToImage: { ...generationOptions, ...imageToImageOptions },
  inpaint: inpaintOptions,
} as const satisfies Record<string, OptionTable>;
