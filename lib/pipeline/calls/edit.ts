import { norm, normalized, scaled, slerp, type Vector } from '../../embeddings/sphere.js';
import { invalidArgument } from '../../errors.js';
import type { ImageInput } from '../../images/decode.js';
import { methodOptions } from '../../options/descriptions.js';
import { inverseOf, type ResolvedEdit } from '../../options/resolve-methods.js';
import type { StageSettings } from '../../options/resolve-stages.js';
import { rowOf } from '../candidates.js';
import { disposeCondition, listOf } from '../condition.js';
import type { CallProgress } from '../progress.js';
import type { CallSession } from '../session.js';
import type { GenerationCall } from './call.js';
import { generationCall } from './generation.js';
import { encodeShared, encodeTexts, toNoise, toRow } from './inputs.js';
import { encodeImage, invertNoise } from './invert.js';
import { commonRecipe } from './recipes.js';

/**
 * Edits an image by the difference of two texts (Ramesh et al. 2022, section 3.3).
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
 */
export function editCall(input: ImageInput, settings: ResolvedEdit): GenerationCall {
  const { fit, noise: keepsNoise, decoder, refinements, batchSize } = settings;
  const inverse = inverseOf(decoder.spacing, refinements);
  return generationCall(settings, {
    count: 1,
    encodesImages: true,
    work: (estimator) =>
      keepsNoise
        ? [estimator.expect({ decoder: inverse }, batchSize, { prior: 0, decoder: 1, upsample: 0 })]
        : [],
    prepare: (session, progress) => prepare(session, input, settings, inverse, progress),
    async encode(encoding, { noise, embedding, text, hash, warnings }) {
      const { cascade } = encoding;
      const { negativePrompt } = settings;
      const { negative, warnings: further } = await encodeShared(encoding, { negativePrompt });
      const imageEmbeds = toRow(cascade, embedding);
      const start = noise && { noise: toNoise(cascade, noise, cascade.draftSize) };
      return {
        conditions: listOf([{ imageEmbeds, text, negative, ...start }]),
        warnings: [...warnings, ...further],
        recipe: (_source, seed, provenance) => ({
          ...{ kind: 'edit', source: { sha256: hash, fit } },
          ...(commonRecipe(methodOptions.edit, seed, settings, provenance) as RecordedEdit),
        }),
      };
    },
  });
}

/** `from` and `to` are checked to be there. */
type RecordedEdit = ReturnType<typeof commonRecipe<typeof methodOptions.edit>> & {
  readonly from: string;
  readonly to: string;
};

/** Encodes the image and the texts, and inverts the image. The caller disposes the text of the prompt. */
async function prepare(
  session: CallSession,
  input: ImageInput,
  settings: ResolvedEdit,
  inverse: StageSettings,
  progress: CallProgress,
) {
  const { from, to, batchSize, strength } = settings;
  const { prepared, texts, prompt, image } = await session.encode(async (encoding) => {
    const { prepared, ...image } = await encodeImage(encoding, input, settings);
    const prompt = await encodeShared(encoding, { prompt: settings.prompt });
    const texts = await encodeTexts(encoding, [from as string, to as string]);
    return { prepared, texts, prompt, image };
  });
  try {
    const [before, after] = texts.features.map(({ embeds }) => rowOf(embeds)) as [Vector, Vector];
    const { text } = prompt;
    const embedding = turned(rowOf(image.imageEmbeds), differenceOf(before, after), strength);
    const noise = settings.noise
      ? await invertNoise(session, { ...image, text }, inverse, batchSize, progress)
      : undefined;
    const ofImage = prepared.warning ? [prepared.warning] : [];
    const warnings = [...ofImage, ...texts.warnings, ...prompt.warnings];
    return { noise, embedding, text, hash: prepared.hash, warnings };
  } finally {
    disposeCondition(image);
    for (const one of texts.features) one[Symbol.dispose]();
  }
}

/** z_d of the paper: the normalised difference. @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for equal texts */
function differenceOf(from: Vector, to: Vector): Vector {
  const difference = Float32Array.from(to, (value, i) => value - (from[i] as number));
  if (norm(difference) > 0) return scaled(normalized(difference), 1);
  const message = 'Expected texts that differ for from and to, but CLIP does not distinguish them';
  throw invalidArgument(message, { argument: 'to' });
}

/** The image embedding, turned towards a direction by a part of the angle; it keeps its length. */
function turned(image: Vector, direction: Vector, strength: number): Vector {
  return slerp(image, scaled(direction, norm(image)), strength);
}
