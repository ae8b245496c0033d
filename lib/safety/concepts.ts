import type { Verdict } from '../images/verdict.js';

/** Concepts as points in CLIP space, each with the cosine from which on an image shows it. */
export interface ConceptSet {
  /** One embedding for each concept. */
  readonly embeds: readonly Float32Array[];
  /** `*_embeds_weights` in the files. */
  readonly thresholds: Float32Array;
}

/** What the Stable Diffusion safety checker compares images with. */
export interface Concepts {
  /** Concepts that make an image unsafe. */
  readonly concepts: ConceptSet;
  /** Concepts that make the thresholds of the others stricter. */
  readonly specialCare: ConceptSet;
}

/** How much stricter they become. diffusers: `adjustment`. */
const specialCareAdjustment = 0.01;

/** The cosine of each concept and an image embedding. */
export function cosinesOf(embedding: Float32Array, { embeds }: ConceptSet): number[] {
  return embeds.map((concept) => cosine(embedding, concept));
}

/**
 * The verdict of diffusers' `StableDiffusionSafetyChecker`. A score is the cosine minus the threshold, rounded to three
 * decimals; the scores of concepts also have the adjustment. A concept whose score is above 0 is shown.
 * @param embedding of the image, `[E]`
 */
export function verdictOf(
  embedding: Float32Array,
  { concepts, specialCare }: Concepts,
): Required<Verdict> {
  let adjustment = 0;
  const score = (cosine: number, threshold: number) =>
    Math.round(1000 * (cosine - threshold + adjustment)) / 1000;
  const special = cosinesOf(embedding, specialCare).map((one, i) => {
    const rounded = score(one, specialCare.thresholds[i] as number);
    if (rounded > 0) adjustment = specialCareAdjustment;
    return [`special care ${i}`, rounded] as const;
  });
  // Only the embeddings of the concepts were published, not their names.
  const scores = cosinesOf(embedding, concepts).map(
    (one, i) => [`concept ${i}`, score(one, concepts.thresholds[i] as number)] as const,
  );
  const shown = scores.filter(([, rounded]) => rounded > 0).map(([label]) => label);
  return {
    unsafe: shown.length > 0,
    reasons: shown,
    scores: Object.fromEntries([...special, ...scores]),
  };
}

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) =>
    x.reduce((sum, value, i) => sum + value * (y[i] as number), 0);
  // As torch.nn.functional.normalize does for a vector of zeros.
  return dot(a, b) / Math.max(Math.sqrt(dot(a, a) * dot(b, b)), 1e-12);
}
