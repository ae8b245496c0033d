import type { ClipTokenizer } from '../text/index.js';
import type { ScriptModule } from '../torch/script-module.js';
import { Tensor, tidy } from '../torch/tensor.js';

/** What CLIP makes of prompts; a row each. */
export interface TextFeatures extends Disposable {
  /** `[prompts, E]` */
  embeds: Tensor;
  /** `[prompts, 77, E]` */
  hidden: Tensor;
  /** `[prompts, 77]`, int64: 1 where a token counts. */
  mask: Tensor;
  /** The part of each prompt that did not fit, if any. */
  truncated: (string | undefined)[];
}

/** Encodes prompts, one row each. */
export async function encodeText(
  prompts: readonly string[],
  tokenizer: ClipTokenizer,
  encoder: ScriptModule,
  signal: AbortSignal | undefined,
): Promise<TextFeatures> {
  const encodings = prompts.map((prompt) => tokenizer.encode(prompt));
  const rows = (pick: 'ids' | 'mask') => {
    const values = encodings.flatMap((encoding) => Array.from(encoding[pick], BigInt));
    const shape = [prompts.length, tokenizer.length];
    return Tensor.from(BigInt64Array.from(values), shape).to({ device: encoder.device });
  };
  using ids = rows('ids');
  const [embeds, hidden] = await encoder.run<[Tensor, Tensor]>('forward', [ids], { signal });
  const truncated = encodings.map((encoding) => encoding.truncated);
  return features(embeds, hidden, rows('mask'), truncated);
}

function features(
  embeds: Tensor,
  hidden: Tensor,
  mask: Tensor,
  truncated: (string | undefined)[],
): TextFeatures {
  return {
    embeds,
    hidden,
    mask,
    truncated,
    [Symbol.dispose]() {
      for (const tensor of [embeds, hidden, mask]) tensor.dispose();
    },
  };
}

/** The rows of these prompts, in this order; a prompt may stand in several. */
export function rowsOf(text: TextFeatures, prompts: readonly number[]): TextFeatures {
  const take = (tensor: Tensor) =>
    tidy(() => Tensor.cat(prompts.map((i) => tensor.slice(0, i, i + 1))));
  const truncated = prompts.map((i) => text.truncated[i]);
  return features(take(text.embeds), take(text.hidden), take(text.mask), truncated);
}
