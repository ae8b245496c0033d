import type { ComponentName, Networks } from '../networks/registry.js';
import type { Tensor } from '../torch/tensor.js';
import { disposeAll, type Inputs, rowsOn, TIMESTEP } from './inputs.js';

/** The values of a network's outputs, each with the rows of the batch first. */
export type Outputs = readonly Float64Array[];

type Forward<N extends ComponentName> = (
  network: Networks[N],
  inputs: Inputs,
  signal: AbortSignal,
) => Promise<Tensor[]>;

/** Names an input that `inputs.ts` defines. */
function named(inputs: Inputs, name: string): Tensor {
  return inputs[name] as Tensor;
}

const superRes: Forward<'super_res_first' | 'super_res_last'> = async (network, inputs, signal) => {
  using times = await network.embedTimesteps([TIMESTEP]);
  using time = times.at(TIMESTEP);
  return [await network.predict(named(inputs, 'x'), named(inputs, 'lowRes'), time, signal)];
};

/** Runs each network as the stages of the cascade do. */
const forwards: { [N in ComponentName]: Forward<N> } = {
  async text_encoder(network, inputs, signal) {
    const { embeds, hidden } = await network.encode(named(inputs, 'ids'), signal);
    return [embeds, hidden];
  },
  async image_encoder(network, inputs, signal) {
    return [await network.encode(named(inputs, 'pixels'), signal)];
  },
  async prior(network, inputs, signal) {
    using prompt = await network.prefill(textOf(inputs), signal);
    using times = await network.embedTimesteps([TIMESTEP]);
    using time = times.at(TIMESTEP);
    using x0 = await network.predict(named(inputs, 'x'), time, prompt, signal);
    return [await network.denormalize(x0, signal)];
  },
  async text_proj(network, inputs, signal) {
    const imageEmbeds = named(inputs, 'imageEmbeds');
    const { classLabels, context, mask } = await network.project(
      imageEmbeds,
      textOf(inputs),
      signal,
    );
    mask.dispose();
    return [classLabels, context];
  },
  async decoder(network, inputs, signal) {
    const [context, mask] = [named(inputs, 'context'), named(inputs, 'mask')];
    using cache = await network.condition({ context, mask }, signal);
    using times = await network.embedTimesteps([TIMESTEP], named(inputs, 'classLabels'));
    using time = times.at(TIMESTEP);
    return [await network.predict(named(inputs, 'x'), time, cache, signal)];
  },
  super_res_first: superRes,
  super_res_last: superRes,
};

function textOf(inputs: Inputs) {
  return {
    embeds: named(inputs, 'embeds'),
    hidden: named(inputs, 'hidden'),
    mask: named(inputs, 'mask'),
  };
}

/** Runs a network on rows `start` to `end` of its fixed inputs, as one batch. */
export async function forward<N extends ComponentName>(
  component: N,
  network: Networks[N],
  inputs: Inputs,
  [start, end]: readonly [number, number],
  signal: AbortSignal,
): Promise<Outputs> {
  signal.throwIfAborted();
  const rows = rowsOn(inputs, start, end, network.device);
  try {
    const outputs = await forwards[component](network, rows, signal);
    const values = outputs.map((output) => valuesOf(output));
    disposeAll(outputs);
    return values;
  } finally {
    disposeAll(Object.values(rows));
  }
}

function valuesOf(tensor: Tensor): Float64Array {
  using wide = tensor.to({ device: 'cpu', dtype: 'float64' });
  return wide.toTypedArray();
}
