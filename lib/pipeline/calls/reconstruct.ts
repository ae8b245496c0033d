import type { Embedding } from '../../embeddings/embedding.js';
import { toBase64 } from '../../embeddings/float32-base64.js';
import { Inversion } from '../../embeddings/inversion.js';
import { expected } from '../../errors.js';
import { generationOptions } from '../../options/descriptions.js';
import type { ResolvedReconstruct } from '../../options/resolve-methods.js';
import { listOf } from '../condition.js';
import type { CallSession } from '../session.js';
import type { GenerationCall } from './call.js';
import { generationCall } from './generation.js';
import { encodeShared, toNoise, toRow } from './inputs.js';
import { imageKind, requireModel } from './points.js';
import { commonRecipe } from './recipes.js';

/** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for any other value */
export function requireInversion(inversion: unknown): Inversion {
  if (inversion instanceof Inversion) return inversion;
  const fix = 'invert returns one, and Inversion.from reads its JSON';
  throw expected('Inversion', 'inversion', inversion, fix);
}

/** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for an inversion of other weights */
export async function requireLoaded(
  { embedding, noise }: Inversion,
  { provenance, cascade }: CallSession,
): Promise<void> {
  requireModel(embedding, await provenance, cascade.embeddingWidth);
  const side = cascade.draftSize;
  if (noise.length === 3 * side ** 2) return;
  throw expected(`noise of 3 x ${side} x ${side} values`, 'inversion', noise.length);
}

/**
 * Generates images from an inversion.
 * @param other the image embedding in place of the inversion's own
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
 */
export function reconstructCall(
  inversion: Inversion,
  other: Embedding | undefined,
  settings: ResolvedReconstruct,
): GenerationCall {
  const embedding = other === undefined ? inversion.embedding : imageKind(other, 'embedding');
  const { noise, source, steps, refinements, prompt: own } = inversion;
  const { prompt = own, negativePrompt } = settings;
  return generationCall(settings, {
    count: 1,
    async prepare(session) {
      await requireLoaded(inversion, session);
      const { cascade } = session;
      requireModel(embedding, await session.provenance, cascade.embeddingWidth);
      return undefined;
    },
    async encode(encoding) {
      const { cascade } = encoding;
      const texts = { prompt: prompt || undefined, negativePrompt };
      const { text, negative, warnings } = await encodeShared(encoding, texts);
      const imageEmbeds = toRow(cascade, embedding.data);
      const start = toNoise(cascade, noise, cascade.draftSize);
      return {
        conditions: listOf([{ imageEmbeds, text, negative, noise: start }]),
        warnings: [...warnings],
        recipe: (_source, seed, provenance) => ({
          kind: 'reconstruct',
          inversion: { source, steps, refinements, prompt: own },
          ...(other && { embedding: toBase64(embedding.data) }),
          ...(settings.prompt !== undefined && { prompt }),
          ...commonRecipe(generationOptions, seed, settings as never, provenance),
        }),
      };
    },
  });
}
