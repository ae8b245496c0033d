import type { WeightPlacement } from '../networks/placement.js';
import {
  type ComponentConfigs,
  type ComponentName,
  definitionOf,
  type Networks,
  networkOf,
} from '../networks/registry.js';
import { countWeights } from '../networks/shape-list.js';
import { weightDtypes } from '../options/descriptions.js';
import type { Engine } from '../torch/engine.js';
import type { ScriptModule } from '../torch/script-module.js';
import { formatBytes } from '../util/format-bytes.js';
import { memoryLimit } from '../util/memory-limit.js';
import type { Bounds } from './bounds.js';
import {
  type Bound,
  type Comparison,
  type Errors,
  type Finding,
  type FindingPart,
  findingOf,
  largestErrors,
  relativeErrors,
} from './findings.js';
import { forward, type Outputs } from './forward.js';
import { disposeAll, fixedInputs, type Inputs, ROWS } from './inputs.js';

/** A network to check, and its weights. */
export interface Subject<N extends ComponentName = ComponentName> {
  readonly part: FindingPart;
  readonly name: string;
  readonly component: N;
  readonly config: ComponentConfigs[N];
  /** Tokens of a prompt. */
  readonly tokens: number;
  load(placement: WeightPlacement): Promise<ScriptModule>;
}

/** Where and how networks are checked. */
export interface NetworkCheck {
  readonly engine: Engine;
  readonly threads: number;
  /** A GPU to compare with the CPU; `cpu` if there is none. */
  readonly device: string;
  readonly bounds: Bounds;
  readonly signal: AbortSignal;
}

type Rows = readonly [start: number, end: number];

const firstRow: Rows = [0, 1];
const allRows: Rows = [0, ROWS];

/** Compares a network with itself in other dtypes, batch sizes, numbers of threads, and on another device. */
export async function* checkNetwork(
  subject: Subject,
  check: NetworkCheck,
): AsyncGenerator<Finding, void> {
  const { component, config, tokens } = subject;
  const inputs = fixedInputs(component, config, { tokens });
  try {
    yield* compareAll(subject, inputs, check);
  } finally {
    disposeAll(Object.values(inputs));
  }
}

async function* compareAll(
  subject: Subject,
  inputs: Inputs,
  check: NetworkCheck,
): AsyncGenerator<Finding, void> {
  const { part, name, component } = subject;
  const { engine, threads, device, bounds, signal } = check;
  const about = (comparison: string): Comparison => ({ part, subject: name, comparison });
  const run = (network: Networks[ComponentName], rows: Rows) =>
    forward(component, network, inputs, rows, signal);
  const runAs = (dtype: WeightPlacement['dtype'], device: string) =>
    withNetwork(subject, { engine, device, dtype }, (network) => run(network, firstRow));
  const find = (comparison: string, bound: Bound, actual: () => Promise<Outputs>, to: Outputs) =>
    findingOf(about(comparison), bound, signal, async () => errorsOf(await actual(), to));
  const { float32, bfloat16 } = bounds.network;

  let single: Outputs = [];
  const ofFloat32: Finding[] = [];
  await withNetwork(subject, { engine, device: 'cpu', dtype: 'float32' }, async (network) => {
    const rows: Outputs[] = [];
    for (let row = 0; row < ROWS; row += 1) rows.push(await run(network, [row, row + 1]));
    single = rows[0] as Outputs;
    const batch = () => run(network, allRows);
    ofFloat32.push(await find(`batch of ${ROWS} against 1`, float32, batch, concatRows(rows)));
    if (threads === 1) return;
    await engine.setThreads(1);
    const oneThread = () => run(network, firstRow);
    ofFloat32.push(await find(`1 thread against ${threads}`, float32, oneThread, single));
    await engine.setThreads(threads);
  });

  const exact = 'float32 against float64';
  const lacking = lacksMemory(subject);
  if (lacking !== undefined) yield { ...about(exact), verdict: 'skipped', reason: lacking };
  else {
    yield await findingOf(about(exact), float32, signal, async () =>
      errorsOf(single, await runAs('float64', 'cpu')),
    );
  }
  yield await find('bfloat16 against float32', bfloat16, () => runAs('bfloat16', 'cpu'), single);
  yield* ofFloat32;
  for (const dtype of device === 'cpu' ? [] : weightDtypes) {
    const bound = dtype === 'float32' ? bounds.tf32 : bounds.network[dtype];
    const comparison = `${dtype} on ${device} against float32 on the CPU`;
    yield await find(comparison, bound, () => runAs(dtype, device), single);
  }
}

/** Loads a network as for generating, and frees it after the work. */
async function withNetwork<T>(
  { component, load }: Subject,
  placement: WeightPlacement,
  work: (network: Networks[ComponentName]) => Promise<T>,
): Promise<T> {
  const { methods } = definitionOf(component);
  using loaded = await load(placement);
  using network = networkOf(component, await loaded.freeze(methods));
  return await work(network);
}

/** The largest errors of all outputs. */
function errorsOf(actual: Outputs, expected: Outputs): Errors {
  return largestErrors(
    expected.map((values, i) => relativeErrors(actual[i] as Float64Array, values)),
  );
}

/** The outputs of several batches, as those of one. */
function concatRows(batches: readonly Outputs[]): Outputs {
  const [first = []] = batches;
  return first.map((_, output) =>
    Float64Array.from(batches.flatMap((outputs) => [...(outputs[output] as Float64Array)])),
  );
}

/** Why a network cannot run in float64; undefined if it can. */
function lacksMemory({ component, config }: Subject): string | undefined {
  const { shapes, cost } = definitionOf(component);
  const elements = countWeights(shapes(config)) + cost(config).activations;
  const bytes = Float64Array.BYTES_PER_ELEMENT * elements;
  const { free } = memoryLimit();
  if (bytes <= free) return undefined;
  return `float64 needs ${formatBytes(bytes)} of memory, and ${formatBytes(free)} is free`;
}
