import type { ComponentConfigs, ComponentName } from '../networks/registry.js';
import { Generator } from '../torch/generator.js';
import { Tensor, tidy } from '../torch/tensor.js';

/** Rows of the fixed inputs. */
export const ROWS = 4;
/** The timestep of the networks that have one. */
export const TIMESTEP = 500;

const extraTokens = 4;

/** The fixed inputs of a network by name, float32 or int64 on the CPU, with the rows of a batch first. */
export type Inputs = Readonly<Record<string, Tensor>>;

/** What inputs depend on besides the network's own config. */
export interface InputSizes {
  /** Tokens of a prompt. */
  readonly tokens: number;
}

type InputsOf = { [N in ComponentName]: (config: ComponentConfigs[N], draw: Draw) => Inputs };

/** Draws normally distributed inputs from one generator, so that they are the same in every run. */
class Draw implements Disposable {
  readonly #generator = new Generator(0);
  readonly tokens: number;

  constructor({ tokens }: InputSizes) {
    this.tokens = tokens;
  }

  normal(...shape: number[]): Tensor {
    return this.#generator.randn([ROWS, ...shape]);
  }

  /** A mask of tokens with another number of ones in each row, after `before` ones. */
  mask(before = 0): Tensor {
    const rows = Array.from({ length: ROWS }, (_, row) =>
      Array.from({ length: before + this.tokens }, (_, i) =>
        BigInt(i < before + this.#length(row)),
      ),
    );
    return Tensor.from(BigInt64Array.from(rows.flat()), [ROWS, before + this.tokens]);
  }

  /** Token ids that end with `end` after each row's length. */
  ids(vocabulary: number, end: number): Tensor {
    const ids = Array.from({ length: ROWS * this.tokens }, (_, i) => {
      const [row, at] = [Math.floor(i / this.tokens), i % this.tokens];
      return BigInt(at < this.#length(row) - 1 ? (i * 7919) % (vocabulary - 2) : end);
    });
    return Tensor.from(BigInt64Array.from(ids), [ROWS, this.tokens]);
  }

  /** From a few tokens to all of them. */
  #length(row: number): number {
    return Math.max(2, Math.ceil((this.tokens * (row + 1)) / ROWS));
  }

  [Symbol.dispose](): void {
    this.#generator.dispose();
  }
}

const superRes: InputsOf['super_res_first'] = (config, draw) => {
  const side = config.sample_size as number;
  const channels = config.in_channels / 2;
  return { x: draw.normal(channels, side, side), lowRes: draw.normal(channels, side, side) };
};

const inputsOf: InputsOf = {
  text_encoder: ({ vocab_size: vocabulary, eos_token_id: end }, draw) => ({
    // 2 in old configs, in which the end token is the largest id.
    ids: draw.ids(vocabulary, end === 2 ? vocabulary - 1 : end),
  }),
  image_encoder: ({ num_channels: channels, image_size: side }, draw) => ({
    pixels: draw.normal(channels, side, side),
  }),
  prior: ({ embedding_dim: width, embedding_proj_dim: textWidth }, draw) => ({
    x: draw.normal(width),
    embeds: draw.normal(textWidth ?? width),
    hidden: draw.normal(draw.tokens, width),
    mask: draw.mask(),
  }),
  text_proj: ({ clip_embeddings_dim: width }, draw) => ({
    imageEmbeds: draw.normal(width),
    embeds: draw.normal(width),
    hidden: draw.normal(draw.tokens, width),
    mask: draw.mask(),
  }),
  decoder: (config, draw) => ({
    x: draw.normal(config.in_channels, config.sample_size, config.sample_size),
    classLabels: draw.normal(4 * (config.block_out_channels[0] as number)),
    context: draw.normal(extraTokens + draw.tokens, config.cross_attention_dim),
    mask: draw.mask(extraTokens),
  }),
  super_res_first: superRes,
  super_res_last: superRes,
};

/** The fixed inputs of a network, for the caller to dispose. */
export function fixedInputs<N extends ComponentName>(
  component: N,
  config: ComponentConfigs[N],
  sizes: InputSizes,
): Inputs {
  using draw = new Draw(sizes);
  return inputsOf[component](config, draw);
}

/** Rows `start` to `end` of the inputs on a device, for the caller to dispose. */
export function rowsOn(inputs: Inputs, start: number, end: number, device: string): Inputs {
  const rows = Object.entries(inputs).map(([name, tensor]) => [
    name,
    tidy(() => tensor.slice(0, start, end).to({ device })),
  ]);
  return Object.fromEntries(rows);
}

export function disposeAll(tensors: Iterable<Disposable>): void {
  for (const tensor of tensors) tensor[Symbol.dispose]();
}
