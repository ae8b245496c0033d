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

/**
 * Encodes prompts, one row each. They go through the encoder one by one: what it makes of a prompt
 * must not hang on its neighbours.
 */
export async function encodeText(
  prompts: readonly string[],
  tokenizer: ClipTokenizer,
  encoder: ScriptModule,
  signal: AbortSignal | undefined,
): Promise<TextFeatures> {
  const encodings = prompts.map((prompt) => tokenizer.encode(prompt));
  const rows = await Promise.all(
    encodings.map(async ({ ids: tokens, mask }) => {
      using ids = toRow(tokens, encoder.device);
      const run = encoder.run<[Tensor, Tensor]>('forward', [ids], { signal });
      return [...(await run), toRow(mask, encoder.device)] as const;
    }),
  );
  const [embeds, hidden, mask] = ([0, 1, 2] as const).map((part) =>
    tidy(
      () => Tensor.cat(rows.map((row) => row[part])),
      rows.map((row) => row[part]),
    ),
  ) as [Tensor, Tensor, Tensor];
  const truncated = encodings.map((encoding) => encoding.truncated);
  return features(embeds, hidden, mask, truncated);
}

function toRow(values: Int32Array | Uint8Array, device: string): Tensor<'int64'> {
  return tidy(() =>
    Tensor.from(BigInt64Array.from(values, BigInt), [1, values.length]).to({ device }),
  );
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
