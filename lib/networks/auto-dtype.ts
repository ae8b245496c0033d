import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import type { WeightDtype } from '../options/descriptions.js';
import type { ConfigValue } from '../torch/addon-types.js';
import type { Engine } from '../torch/engine.js';
import { Generator } from '../torch/generator.js';
import { version } from '../torch/load.js';
import { traceNetwork } from '../torch/network.js';
import { tidy } from '../torch/tensor.js';
import { cacheFolder } from '../util/environment.js';
import { writeThenRename } from '../util/files.js';
import { packageVersion } from '../util/package.js';
import { readRegularFile } from '../util/regular-file.js';
import { type SuperResConfig, SuperResNetwork, superRes } from './super-res.js';

type CpuDtype = Extract<WeightDtype, 'float32' | 'bfloat16'>;

/** Width and height of the measured images, and the number of measurements, of which the shortest counts. */
const side = 32;
const rounds = 3;
/** bfloat16 has to take at most this share of float32's time to be worth its lower precision. */
const worthwhile = 0.8;
/**
 * Models with fewer channels are fast in either dtype. They get float32, so that a seed gives the same
 * image on every machine.
 */
const narrow = 128;
/** A measurement takes about 150 bytes. */
const maxCacheBytes = 2 ** 20;

/**
 * The dtype in which this CPU runs a model faster. It is measured once and stored in the cache folder.
 * The measured ResNet blocks are as wide as those of super-resolution's first level, which take most of
 * the time. CPUs without AVX-512 compute bfloat16 via float32, so that float32 is faster there.
 * @param config of `super_res_first`
 */
export async function fasterDtype(
  config: SuperResConfig | undefined,
  engine: Engine,
  threads: number,
): Promise<CpuDtype> {
  const { cpuCapability, kernels, libtorch } = version();
  if (config === undefined || cpuCapability !== 'AVX512') return 'float32';
  const widths = config.block_out_channels.slice(0, 1);
  if ((widths[0] as number) < narrow) return 'float32';
  const key = [cpus()[0]?.model, kernels, threads, libtorch, packageVersion(), ...widths].join(
    ', ',
  );
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

/** Earlier measurements; none if the file cannot be read. */
async function readKnown(file: string): Promise<Record<string, CpuDtype>> {
  try {
    const text = await readRegularFile(file, { maxBytes: maxCacheBytes });
    const known = Object.entries(JSON.parse(text.toString()));
    return Object.fromEntries(
      known.filter(([, dtype]) => dtype === 'float32' || dtype === 'bfloat16'),
    ) as Record<string, CpuDtype>;
  } catch {
    return {};
  }
}

/** Best effort: if the cache cannot be written, the next load measures again. */
async function keep(file: string, known: Record<string, CpuDtype>): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeThenRename(file, (path) => writeFile(path, JSON.stringify(known, null, 2)));
  } catch {}
}
