import { sphericalMean } from '../embeddings/sphere.js';
import { Tensor, tidy } from '../torch/tensor.js';
import { rowOf } from './candidates.js';
import { PromptFeatures } from './stages/text-encoder.js';

/** The features of a prompt, and its share. */
interface WeightedText {
  readonly text: PromptFeatures;
  readonly weight: number;
}

/**
 * A weighted mean of the features of prompts. Text embeddings have their mean on the sphere. Hidden states have, for
 * each token, the mean of the prompts that are long enough, so that no padding reaches the decoder. The mask has the
 * tokens of all of them.
 * @param weights prompts whose weight is not above 0 are left out
 * @returns for the caller to dispose
 */
export function meanText(
  texts: readonly PromptFeatures[],
  weights: readonly number[],
): PromptFeatures {
  const parts = texts
    .map((text, i): WeightedText => ({ text, weight: weights[i] as number }))
    .filter(({ weight }) => weight > 0);
  const [{ text: first }] = parts as [WeightedText];
  if (parts.length === 1) return copyOf(first);
  const shares = parts.map(tokenWeights);
  const sums = (shares[0] as number[]).map((_, token) =>
    shares.reduce((sum, row) => sum + (row[token] as number), 0),
  );
  return new PromptFeatures({
    embeds: meanEmbeds(parts),
    hidden: tidy(() => {
      const { dtype } = first.hidden;
      const terms = parts.map(({ text }, i) => weighted(text, shares[i] as number[], sums));
      return terms.reduce((sum, term) => sum.add(term)).to({ dtype });
    }),
    mask: tidy(() => {
      const union = BigInt64Array.from(sums, (sum) => (sum > 0 ? 1n : 0n));
      return Tensor.from(union, [1, union.length]).to({ device: first.hidden.device });
    }),
  });
}

function meanEmbeds(parts: readonly WeightedText[]): PromptFeatures['embeds'] {
  const [{ text }] = parts as [WeightedText];
  const { dtype, device } = text.embeds;
  return tidy(() => {
    const rows = parts.map((part) => rowOf(part.text.embeds));
    const mean = sphericalMean(
      rows,
      parts.map(({ weight }) => weight),
    );
    return (Tensor.from(mean, [1, mean.length]) as Tensor).to({ dtype, device });
  });
}

/** Hidden states times the share of each token, in float32. */
function weighted(
  { hidden }: PromptFeatures,
  shares: readonly number[],
  sums: readonly number[],
): Tensor {
  const column = Float32Array.from(shares, (share, i) => share / ((sums[i] as number) || 1));
  const factors = Tensor.from(column, [1, column.length, 1]).to({ device: hidden.device });
  return (hidden as Tensor).to({ dtype: 'float32' }).mul(factors);
}

/** The weight of each token; 0 for padding. */
function tokenWeights({ text: { mask }, weight }: WeightedText): number[] {
  using values = tidy(() => (mask as Tensor<'int64'>).to({ device: 'cpu' }));
  return Array.from(values.toTypedArray(), (one) => (one === 0n ? 0 : weight));
}

/** The same features, for another owner. */
export function copyOf({ embeds, hidden, mask }: PromptFeatures): PromptFeatures {
  return new PromptFeatures({ embeds: embeds.to({}), hidden: hidden.to({}), mask: mask.to({}) });
}
