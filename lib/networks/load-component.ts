import type { ConfigValue } from '../torch/addon-types.js';
import { type Parameter, traceNetwork } from '../torch/network.js';
import type { ScriptModule } from '../torch/script-module.js';
import type { Tensor } from '../torch/tensor.js';
import { corrupt } from '../weights/corrupt.js';
import { sameShape } from '../weights/shape.js';
import type { WeightPlacement } from './placement.js';
import { type ComponentConfigs, type ComponentName, definitionOf } from './registry.js';
import { type CanonicalTensor, MappedFiles, readWeight } from './weights.js';

/** A network's config, and where its tensors are stored. */
export interface ComponentDescription<N extends ComponentName = ComponentName> {
  component: N;
  config: ComponentConfigs[N];
  /** Exactly the tensors that the network needs. */
  tensors: ReadonlyMap<string, CanonicalTensor>;
  files: readonly string[];
}

/** A traced network: a module with empty parameters, and the weights to assign to them. */
export interface Traced {
  module: ScriptModule;
  weights: { tensor: CanonicalTensor; keepFloat32: boolean }[];
}

/**
 * Traces a described network.
 * @param methods the methods to trace; all of them if the list is empty
 * @throws {KarloError} ERR_KARLO_MODEL_CORRUPT if the description does not match the network
 */
export async function traceComponent(
  { component, config, tensors, files }: ComponentDescription,
  engine: WeightPlacement['engine'],
  methods: readonly string[] = [],
): Promise<Traced> {
  const values = config as unknown as Record<string, ConfigValue>;
  const { kind } = definitionOf(component);
  const { module, parameters } = await traceNetwork(kind, values, engine, methods);
  const weights = parameters.map((parameter) => {
    const tensor = tensors.get(parameter.name);
    checkParameter(parameter, tensor, files[0] ?? component);
    return { tensor: tensor as CanonicalTensor, keepFloat32: parameter.keepFloat32 };
  });
  return { module, weights };
}

function checkParameter(
  { name, shape }: Parameter,
  tensor: CanonicalTensor | undefined,
  file: string,
) {
  if (tensor === undefined) throw corrupt('a tensor', name, file, 'none');
  if (sameShape(tensor.shape, shape)) return;
  throw corrupt(`shape [${shape.join(', ')}]`, name, file, tensor.shape);
}

/** The dtype of a loaded parameter: tables and statistics stay float32, at least. */
export function dtypeOfWeight<D extends WeightPlacement['dtype']>(
  keepFloat32: boolean,
  dtype: D,
): D | 'float32' {
  return keepFloat32 && dtype !== 'float64' ? 'float32' : dtype;
}

export interface Loading {
  /** Called after each tensor with its size in the file. */
  onTensor?: (name: string, bytes: number) => void;
  /** The methods to trace in a published network; all of them by default. */
  methods?: readonly string[];
  /** Ends reading at once. */
  signal?: AbortSignal | undefined;
}

/**
 * Traces a published network and assigns its weights, converted to the placement's device and dtype.
 * Weights that are stored with that dtype are mapped and not copied, on the CPU.
 */
export async function loadComponent(
  description: ComponentDescription,
  placement: WeightPlacement,
  { onTensor, methods }: Loading = {},
): Promise<ScriptModule> {
  const { module, weights } = await traceComponent(description, placement.engine, methods);
  await assignWeights(module, weights, placement, onTensor);
  return module;
}

/** Reads all weights and assigns them to the module. */
export async function assignWeights(
  module: ScriptModule,
  weights: Traced['weights'],
  placement: WeightPlacement,
  onTensor: (name: string, bytes: number) => void = () => {},
): Promise<void> {
  using files = new MappedFiles();
  const attributes: Record<string, Tensor> = {};
  try {
    for (const { tensor, keepFloat32 } of weights) {
      const dtype = dtypeOfWeight(keepFloat32, placement.dtype);
      attributes[tensor.name] = await readWeight(tensor, files, { ...placement, dtype });
      onTensor(tensor.name, tensor.source.byteLength);
    }
    await module.assign(attributes);
  } finally {
    for (const tensor of Object.values(attributes)) tensor.dispose();
  }
}
