import {
  type ComponentConfigs,
  type ComponentName,
  definitionOf,
} from '../../lib/networks/registry.js';
import { Tensor } from '../../lib/torch/index.js';
import { input } from '../fixtures/formula.js';
import { readTensors } from '../fixtures/read-tensors.js';

const rows = 5;
const tokens = 77;
const extraTokens = 4;

/** The reference's values for one model: integer inputs, and samples of each output. */
export class Golden {
  private constructor(
    private readonly tensors: ReadonlyMap<string, Tensor>,
    private readonly metadata: {
      stride: Record<string, number>;
      shape: Record<string, number[]>;
      max: Record<string, number>;
    },
  ) {}

  static async read(path: string): Promise<Golden> {
    const { tensors, metadata } = await readTensors(path);
    const parsed = (name: string) => JSON.parse(metadata.get(name) ?? '{}');
    return new Golden(tensors, {
      stride: parsed('stride'),
      shape: parsed('shape'),
      max: parsed('max'),
    });
  }

  tensor(name: string): Tensor {
    const tensor = this.tensors.get(name);
    if (tensor === undefined) throw new Error(`the golden file has no ${name}`);
    return tensor;
  }

  /** The largest difference from the reference, relative to the largest magnitude of its output. */
  difference(name: string, output: Tensor): number {
    const shape = this.metadata.shape[name] ?? [];
    if (String(output.shape.slice(1)) !== String(shape.slice(1))) {
      throw new Error(`${name} has shape ${output.shape}, the reference's ${shape}`);
    }
    const expected = (this.tensor(name) as Tensor<'float32'>).toTypedArray();
    const actual = output.to({ dtype: 'float32' }).toTypedArray();
    const stride = this.metadata.stride[name] ?? 1;
    let largest = 0;
    let compared = 0;
    for (let i = 0; i * stride < actual.length; i += 1) {
      // Math.max keeps a NaN.
      largest = Math.max(
        largest,
        Math.abs((actual[i * stride] as number) - (expected[i] as number)),
      );
      compared += 1;
    }
    if (compared === 0) throw new Error(`${name} has no samples`);
    return largest / (this.metadata.max[name] as number);
  }
}

/** Inputs of a network's `forward`, at batch 5. */
export function inputsOf(
  component: ComponentName,
  configs: Partial<ComponentConfigs>,
  golden: Golden,
): Tensor[] {
  const { kind } = definitionOf(component);
  const inputTensor = (name: string, ...shape: number[]) => {
    const count = shape.reduce((product, size) => product * size, rows);
    return Tensor.from(input(kind, name, count), [rows, ...shape], 'float32');
  };
  const [ids, mask, t] = ['ids', 'mask', 't'].map((name) => golden.tensor(name)) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  const config = configs[component] as Record<string, number>;
  const side = config.sample_size as number;
  switch (component) {
    case 'text_encoder':
      return [ids];
    case 'image_encoder': {
      const pixels = config.image_size as number;
      return [inputTensor('pixel_values', config.num_channels as number, pixels, pixels)];
    }
    case 'prior': {
      const width = config.embedding_dim as number;
      return [
        inputTensor('x', width),
        t,
        inputTensor('text_embeds', width),
        inputTensor('text_hidden', tokens, width),
        mask,
      ];
    }
    case 'text_proj': {
      const width = config.clip_embeddings_dim as number;
      const hidden = inputTensor('text_hidden', tokens, width);
      return [inputTensor('image_embeds', width), inputTensor('text_embeds', width), hidden, mask];
    }
    case 'decoder': {
      const context = inputTensor(
        'context',
        extraTokens + tokens,
        config.cross_attention_dim as number,
      );
      const labels = inputTensor('class_labels', configs.text_proj?.time_embed_dim as number);
      return [
        inputTensor('x', config.in_channels as number, side, side),
        t,
        context,
        padded(mask),
        labels,
      ];
    }
    default:
      return [inputTensor('x', config.in_channels as number, side, side), t];
  }
}

/** A text mask with ones for the extra tokens before it. */
function padded(mask: Tensor): Tensor {
  const ones = Tensor.from(new BigInt64Array(rows * extraTokens).fill(1n), [rows, extraTokens]);
  return Tensor.cat<'int64'>([ones, mask as Tensor<'int64'>], 1);
}

/** The outputs of a network's `forward`, as the golden files name them. */
export const outputNames: Record<ComponentName, string[]> = {
  text_encoder: ['text_embeds', 'last_hidden_state'],
  image_encoder: ['image_embeds'],
  prior: ['x0'],
  text_proj: ['class_labels', 'context'],
  decoder: ['output'],
  super_res_first: ['output'],
  super_res_last: ['output'],
};
