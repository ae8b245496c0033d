import { Embedding } from '../../embeddings/embedding.js';
import { toBase64 } from '../../embeddings/float32-base64.js';
import { expected } from '../../errors.js';
import { methodOptions } from '../../options/descriptions.js';
import type { ResolvedFromEmbedding } from '../../options/resolve-methods.js';
import { listOf } from '../condition.js';
import type { GenerationCall } from './call.js';
import { generationCall } from './generation.js';
import { encodeShared, toRow } from './inputs.js';
import { imageKind, requireModel } from './points.js';
import { commonRecipe } from './recipes.js';

/**
 * Generates images of embeddings.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
 */
export function fromEmbeddingCall(
  input: Embedding | readonly Embedding[],
  settings: ResolvedFromEmbedding,
): GenerationCall {
  const embeddings = embeddingList(input);
  return generationCall(settings, {
    count: embeddings.length,
    async prepare({ provenance, cascade }) {
      const model = await provenance;
      for (const one of embeddings) requireModel(one, model, cascade.embeddingWidth);
      return undefined;
    },
    async encode(encoding) {
      const { text, negative, warnings } = await encodeShared(encoding, settings);
      const rows = embeddings.map(({ data }) => toRow(encoding.cascade, data));
      return {
        conditions: listOf(rows.map((imageEmbeds) => ({ imageEmbeds, text, negative }))),
        warnings: [...warnings],
        recipe: (source, seed, provenance) => ({
          kind: 'fromEmbedding',
          embedding: toBase64((embeddings[source] as Embedding).data),
          ...commonRecipe(methodOptions.fromEmbedding, seed, settings, provenance),
        }),
      };
    },
  });
}

function embeddingList(input: unknown): Embedding[] {
  const list: readonly unknown[] = Array.isArray(input) ? input : [input];
  if (list.length === 0) {
    throw expected('Embedding or non-empty array of Embedding', 'embedding', input);
  }
  return Array.from(list, (one, i) => {
    const name = Array.isArray(input) ? `embedding[${i}]` : 'embedding';
    const fix = 'embedImage and embedText return one, and Embedding.from reads its JSON';
    if (!(one instanceof Embedding)) throw expected('Embedding', name, one, fix);
    return imageKind(one, name);
  });
}
