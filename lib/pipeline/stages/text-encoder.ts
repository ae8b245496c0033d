import type { Residency } from '../../networks/residency.js';
import type { TextEncoderNetwork, TextFeatures } from '../../networks/text-encoder.js';
import type { ClipTokenizer } from '../../tokenizer/tokenizer.js';
import { Tensor, tidy } from '../../torch/tensor.js';
import { allOrDispose } from './all-or-dispose.js';

/** CLIP's features of prompts, one row each. */
export class PromptFeatures implements TextFeatures, Disposable {
  readonly embeds: Tensor;
  readonly hidden: Tensor;
  readonly mask: Tensor;

  constructor({ embeds, hidden, mask }: TextFeatures) {
    this.embeds = embeds;
    this.hidden = hidden;
    this.mask = mask;
  }

  [Symbol.dispose](): void {
    for (const tensor of [this.embeds, this.hidden, this.mask]) tensor.dispose();
  }
}

/** Concatenates text features along the batch dimension. */
export function concatTextFeatures(features: readonly TextFeatures[]): PromptFeatures {
  const concat = (part: keyof TextFeatures) =>
    tidy(() => Tensor.cat(features.map((one) => one[part])));
  return new PromptFeatures({
    embeds: concat('embeds'),
    hidden: concat('hidden'),
    mask: concat('mask'),
  });
}

/** One prompt's features, and the end of it that was cut off, if any. */
export interface EncodedPrompt {
  readonly text: PromptFeatures;
  readonly truncated: string | undefined;
}

/** Prompts to CLIP text features (Radford et al. 2021). */
export class TextEncoderStage {
  static readonly leases = [['text_encoder']] as const;
  readonly #networks: Residency;
  readonly #tokenizer: ClipTokenizer;

  constructor(networks: Residency, tokenizer: ClipTokenizer) {
    this.#networks = networks;
    this.#tokenizer = tokenizer;
  }

  /** Tokens of a prompt that the encoder reads, begin and end included. */
  countTokens(prompt: string): number {
    return this.#tokenizer.encode(prompt).mask.reduce((sum, one) => sum + one, 0);
  }

  /** Each prompt is a batch of one, so that its features depend on no other prompt. */
  async run(prompts: readonly string[], signal?: AbortSignal): Promise<EncodedPrompt[]> {
    await using networks = await this.#networks.lease(...TextEncoderStage.leases[0]);
    const encode = (prompt: string) => this.#encode(prompt, networks.text_encoder, signal);
    return await allOrDispose(prompts.map(encode), ({ text }) => text);
  }

  async #encode(
    prompt: string,
    encoder: TextEncoderNetwork,
    signal: AbortSignal | undefined,
  ): Promise<EncodedPrompt> {
    const { ids, mask, truncated } = this.#tokenizer.encode(prompt);
    using row = rowOf(ids, encoder.device);
    const features = await encoder.encode(row, signal);
    return {
      text: new PromptFeatures({ ...features, mask: rowOf(mask, encoder.device) }),
      truncated,
    };
  }
}

function rowOf(values: Int32Array | Uint8Array, device: string): Tensor<'int64'> {
  return tidy(() =>
    Tensor.from(BigInt64Array.from(values, BigInt), [1, values.length]).to({ device }),
  );
}
