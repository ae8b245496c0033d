import type { Pixels } from '../../images/pixels.js';
import type { Provenance, Recipe } from '../../images/recipe.js';
import { requireWatermarkSize } from '../../images/watermark/embed.js';
import type { CallSettings } from '../cascade.js';
import type { ConditionList } from '../condition.js';
import { batchesOf, type Estimator, type ExpectedWork } from '../estimate.js';
import { generate } from '../generate.js';
import { CallProgress } from '../progress.js';
import type { CallSession, Encoding } from '../session.js';
import type { GenerationCall } from './call.js';

/** What images are generated from. */
export interface EncodedInputs {
  readonly conditions: ConditionList;
  /** What the user should know about the inputs. */
  readonly warnings: string[];
  recipe(source: number, seed: number, provenance: Provenance): Recipe;
  /** Changes the pixels of a finished image. */
  readonly complete?: (source: number, pixels: Pixels) => Pixels;
}

/**
 * The inputs of a call.
 * @typeParam P what batches prepare: embeddings that the prior samples, or inverted noise
 */
export interface GenerationInputs<P = undefined> {
  /** Number of prompts or images. */
  readonly count: number;
  /** Whether the call needs the image encoder. */
  readonly encodesImages?: boolean;
  /** Whether the result holds the images. Otherwise they are only reported. */
  readonly keepsImages?: boolean;
  /** What `prepare` is expected to take. */
  readonly work?: (estimator: Estimator) => ExpectedWork[];
  /** Runs batches before the inputs are encoded. */
  readonly prepare?: (session: CallSession, progress: CallProgress) => Promise<P>;
  encode(encoding: Encoding, prepared: P): Promise<EncodedInputs>;
}

/** A call that generates images from inputs. */
export function generationCall<P = undefined>(
  settings: CallSettings,
  inputs: GenerationInputs<P>,
): GenerationCall {
  const { count, encodesImages = false, keepsImages = true, work, prepare, encode } = inputs;
  return {
    signal: settings.signal,
    safety: settings,
    memory: [{ settings, inputs: keepsImages ? count : 1 }],
    check(cascade) {
      requireWatermarkSize(settings.watermark, cascade.imageSize);
      // Candidates are scored by the image encoder.
      if (encodesImages || settings.candidates > 1) cascade.imageSquare();
    },
    async run(session) {
      const { estimator } = session;
      const batches = batchesOf(settings, count * settings.seeds.length);
      const own = estimator.expect(settings, settings.batchSize, batches);
      const progress = new CallProgress([...(work?.(estimator) ?? []), own]);
      const prepared = (await prepare?.(session, progress)) as P;
      const encoded = await session.encode((encoding) => encode(encoding, prepared));
      const { warnings, recipe, complete } = encoded;
      using conditions = encoded.conditions;
      const generated = await generate(session, {
        ...{ conditions, settings, progress, complete, keepsImages },
        recipe: async (source, seed) => recipe(source, seed, await session.provenance),
      });
      return { ...generated, warnings };
    },
  };
}
