import type { Provenance, Recipe } from '../../images/recipe.js';
import type { Task } from '../../options/descriptions.js';
import type { ResolvedGeneration } from '../../options/resolve-generation.js';
import type { ImageJob } from '../batching.js';
import type { Cascade, CascadeSettings, Condition } from '../cascade.js';

/** Checked options of either task. */
export type CallSettings = ResolvedGeneration & CascadeSettings;

/** One call of textToImage or imageVariation. */
export interface GenerationCall {
  readonly task: Task;
  readonly settings: CallSettings;
  encode(cascade: Cascade, signal: AbortSignal): Promise<EncodedCall>;
}

/** A call whose prompts or images are encoded. */
export interface EncodedCall {
  /** One per prompt or image; the caller disposes them. */
  readonly conditions: readonly Condition[];
  /** What the user should know about the inputs. */
  readonly warnings: string[];
  recipe(job: ImageJob, provenance: Provenance): Recipe;
}

export function disposeConditions(conditions: readonly Condition[]): void {
  for (const one of conditions) ('text' in one ? one.text : one.imageEmbeds)[Symbol.dispose]();
}
