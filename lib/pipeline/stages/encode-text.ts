import type { TextFeatures as Tensors, TextEncoderNetwork } from '../../networks/text-encoder.js';
import type { ClipTokenizer } from '../../tokenizer/index.js';
import { Tensor, tidy } from '../../torch/tensor.js';

/** What CLIP makes of prompts; a row each. */
export interface TextFeatures extends Tensors, Disposable {}

/** One prompt's features, and the part of it that did not fit, if any. */
export interface EncodedText {
  readonly text: TextFeatures;
  readonly truncated: string | undefined;
}

/** Encodes one prompt, as a batch of its own: what the encoder makes of it must not hang on others. */
export async function encodeText(
  prompt: string,
  tokenizer: ClipTokenizer,
  encoder: TextEncoderNetwork,
  signal: AbortSignal | undefined,
): Promise<EncodedText> {
  const { ids: tokens, mask, truncated } = tokenizer.encode(prompt);
  using ids = toRow(tokens, encoder.device);
  const { embeds, hidden } = await encoder.encode(ids, signal);
  return { text: features(embeds, hidden, toRow(mask, encoder.device)), truncated };
}

function toRow(values: Int32Array | Uint8Array, device: string): Tensor<'int64'> {
  return tidy(() =>
    Tensor.from(BigInt64Array.from(values, BigInt), [1, values.length]).to({ device }),
  );
}

function features(embeds: Tensor, hidden: Tensor, mask: Tensor): TextFeatures {
  return {
    embeds,
    hidden,
    mask,
    [Symbol.dispose]() {
      for (const tensor of [embeds, hidden, mask]) tensor.dispose();
    },
  };
}

/** The rows of all of these, in this order. */
export function together(texts: readonly TextFeatures[]): TextFeatures {
  const all = (part: 'embeds' | 'hidden' | 'mask') =>
    tidy(() => Tensor.cat(texts.map((text) => text[part])));
  return features(all('embeds'), all('hidden'), all('mask'));
}
