import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import type { ConfigValue } from '../torch/addon-types.js';
import type { Engine } from '../torch/engine.js';
import { Generator } from '../torch/generator.js';
import { version } from '../torch/load.js';
import { traceNetwork } from '../torch/network.js';
import { tidy } from '../torch/tensor.js';
import { cacheFolder } from '../util/environment.js';
import { packageVersion } from '../util/package.js';
import { type SuperResConfig, SuperResNetwork, superRes } from './super-res.js';
import type { WeightDtype } from './weights.js';

type CpuDtype = Extract<WeightDtype, 'float32' | 'bfloat16'>;

/** Side of the pictures that are measured with, and how often: the shortest time counts. */
const side = 32;
const rounds = 3;
/** How much sooner bfloat16 must be done to be worth its digits. */
const worthwhile = 0.8;
/**
 * Channels below which a model makes its pictures in a moment in either dtype: float32's digits cost
 * little there, and the same seed should mean the same picture on every machine.
 */
const narrow = 128;

/**
 * The dtype in which this CPU is faster with a model: measured once, with ResBlocks as wide as those
 * at the full size of its super-resolution, where most of the time goes, and kept in the cache folder.
 * Without AVX-512 there is nothing to measure: bfloat16 is computed by way of float32 there; nor for a
 * narrow model, which is float32.
 */
export async function fasterDtype(
  config: SuperResConfig | undefined,
  engine: Engine,
  threads: number,
): Promise<CpuDtype> {
  const { cpuCapability, libtorch } = version();
  if (config === undefined || cpuCapability !== 'AVX512') return 'float32';
  const widths = config.block_out_channels.slice(0, 1);
  if ((widths[0] as number) < narrow) return 'float32';
  const key = [cpus()[0]?.model, threads, libtorch, packageVersion(), ...widths].join(', ');
  const file = join(cacheFolder(process.env), 'dtypes.json');
  const known = await readKnown(file);
  if (known[key] !== undefined) return known[key];
  const probe = {
    ...config,
    block_out_channels: widths,
    down_block_types: config.down_block_types?.slice(0, 1),
    up_block_types: config.up_block_types?.slice(0, 1),
    layers_per_block: 1,
    sample_size: side,
  } as unknown as Readonly<Record<string, ConfigValue>>;
  const [float32, bfloat16] = [
    await seconds(probe, 'float32', engine),
    await seconds(probe, 'bfloat16', engine),
  ];
  const faster = bfloat16 < worthwhile * float32 ? 'bfloat16' : 'float32';
  await keep(file, { ...known, [key]: faster });
  return faster;
}

async function seconds(
  config: Readonly<Record<string, ConfigValue>>,
  dtype: CpuDtype,
  engine: Engine,
): Promise<number> {
  using network = await randomNetwork(config, dtype, engine);
  using noise = new Generator(0);
  using x = noise.randn([1, (config.in_channels as number) / 2, side, side]);
  using times = await network.embedTimesteps([500]);
  using time = times.at(500);
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round <= rounds; round += 1) {
    const start = performance.now();
    using _output = await network.predict(x, x, time);
    if (round > 0) best = Math.min(best, performance.now() - start);
  }
  return best;
}

async function randomNetwork(
  config: Readonly<Record<string, ConfigValue>>,
  dtype: CpuDtype,
  engine: Engine,
): Promise<SuperResNetwork> {
  const { kind, methods } = superRes;
  const { module, parameters } = await traceNetwork(kind, config, engine, methods);
  using noise = new Generator(0);
  const random = (shape: readonly number[]) =>
    tidy(() => noise.randn(shape).mul(0.05).to({ dtype }));
  const weights = Object.fromEntries(parameters.map(({ name, shape }) => [name, random(shape)]));
  await module.assign(weights);
  for (const weight of Object.values(weights)) weight.dispose();
  return new SuperResNetwork(module);
}

/** What was measured before; nothing where that cannot be read. */
async function readKnown(file: string): Promise<Record<string, CpuDtype>> {
  try {
    const known = Object.entries(JSON.parse(await readFile(file, 'utf8')));
    return Object.fromEntries(
      known.filter(([, dtype]) => dtype === 'float32' || dtype === 'bfloat16'),
    ) as Record<string, CpuDtype>;
  } catch {
    return {};
  }
}

/** Where the cache cannot be written, the next load measures again. */
async function keep(file: string, known: Record<string, CpuDtype>): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    const temporary = `${file}.${process.pid}`;
    await writeFile(temporary, JSON.stringify(known, null, 2));
    await rename(temporary, file);
  } catch {}
}
