// node scripts/docs/machines.mjs: writes the tables of docs/guide/machines.md, by what karlo.estimate and Karlo.load
// compute for a model of the published size. With --check, it only reports whether they are out of date. It needs a build.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  SCHEDULERS,
  schedulerConfig,
  schedulerFile,
} from '../../dist/lib/layouts/scheduler-config.js';
import { COMPONENTS, parseConfig } from '../../dist/lib/networks/registry.js';
import { samplings } from '../../dist/lib/options/choices.js';
import { resolveTextToImage } from '../../dist/lib/options/resolve-generation.js';
import { identityLabel } from '../../dist/lib/options/validate.js';
import { Estimator } from '../../dist/lib/pipeline/estimate.js';
import { peakBytes } from '../../dist/lib/pipeline/peak-memory.js';
import { planMemory } from '../../dist/lib/pipeline/plan-memory.js';
import { table } from './markdown.mjs';

/** @import { Cascade } from '../../dist/lib/pipeline/cascade.js' */
/** @import { Model } from '../../dist/lib/layouts/index.js' */

const root = join(import.meta.dirname, '..', '..');
const page = join(root, 'docs', 'guide', 'machines.md');

/** What is left to a model: a CPU shares its memory with the system, and a GPU with its driver and CUDA's context. */
const reserved = { cpu: 2e9, 'cuda:0': 1e9 };
const machines = [
  ...[8, 16, 32].flatMap((gib) => [
    /** @type {const} */ ({ gib, device: 'cpu', dtype: 'bfloat16' }),
    /** @type {const} */ ({ gib, device: 'cpu', dtype: 'float32' }),
  ]),
  ...[8, 11, 24].map((gib) => /** @type {const} */ ({ gib, device: 'cuda:0', dtype: 'bfloat16' })),
  /** @type {const} */ ({ gib: 24, device: 'cuda:0', dtype: 'float32' }),
];

/** Seconds of the prior, and of an image with `fast` and `default` sampling: docs/guide/performance.md, full size. */
const measured = [
  { where: 'CPU with AVX-512 and bfloat16, 2 cores, bfloat16', prior: 1.6, fast: 62, slow: 85 },
  { where: 'the same, float32', prior: 4.5, fast: 151, slow: 221 },
  { where: 'CPU with AVX2, 2 cores, float32', prior: 8.1, fast: 359, slow: 488 },
];
/** The rate at which the table assumes a GPU to work, in operations per second. */
const assumedRate = 20e12;
/** Kakao Brain's evaluation, COCO: https://github.com/kakaobrain/karlo#evaluation. */
const quality = {
  turbo: 'not evaluated with the published weights',
  fast: 'FID 15.24, CLIP-score 0.3192',
  default: 'FID 14.43, CLIP-score 0.3192',
};

const model = fullSize();
const text = readFileSync(page, 'utf8');
const updated = withTable(withTable(text, 'memory', memoryTable()), 'time', await timeTable());
if (process.argv.includes('--check')) {
  if (updated !== text) {
    console.error('docs/guide/machines.md is out of date. Run node scripts/docs/machines.mjs');
    process.exitCode = 1;
  }
} else {
  writeFileSync(page, updated);
}

/** A model of the published size, of which the estimates only need the configs. */
function fullSize() {
  const path = join(root, 'bench', 'full-size', 'configs.json');
  /** @type {Record<string, object>} */
  const files = JSON.parse(readFileSync(path, 'utf8'));
  const configs = COMPONENTS.map((name) => [
    name,
    parseConfig(name, files[`${name}/config.json`], name),
  ]);
  const schedulers = SCHEDULERS.map((name) => [
    name,
    schedulerConfig(
      schedulerFile.parse(files[`${name}/scheduler_config.json`]),
      'unclip-scheduler',
    ),
  ]);
  const parts = {
    configs: Object.fromEntries(configs),
    schedulers: Object.fromEntries(schedulers),
  };
  return /** @type {Model} */ (/** @type {unknown} */ (parts));
}

/** How a model is held on each machine, as Karlo.load decides with a memory budget, and what one image takes. */
function memoryTable() {
  const rows = machines.map(({ gib, device, dtype }) => {
    const memoryBudget = gib * 2 ** 30 - reserved[device];
    const placement = { device, dtype, label: identityLabel, available: undefined };
    const plan = planMemory(model, { ...placement, memoryBudget, residency: undefined });
    const { residency } = plan;
    const peak = peakBytes(model, settingsOf('fast'), { device, dtype, residency });
    return [
      `${device === 'cpu' ? 'CPU' : 'GPU'}, ${gib} GiB`,
      ...[`\`${dtype}\``, `\`${residency}\``],
      `${(peak(1) / 1e9).toFixed(1)} GB`,
      String(plan.largestBatch),
    ];
  });
  return table(['memory', '`dtype`', '`residency`', 'an image takes', 'largest `batchSize`'], rows);
}

/** Work, quality and seconds of an image with each preset. */
async function timeTable() {
  const columns = await Promise.all(measured.map(secondsOf));
  const rows = samplings.map((sampling) => [
    `\`${sampling}\``,
    quality[sampling],
    `${Math.round(flopOf(sampling) / 1e12)}`,
    ...columns.map((column) => `${Math.round(column[sampling] ?? 0)} s`),
    `${(flopOf(sampling) / assumedRate).toFixed(1)} s`,
  ]);
  const wheres = measured.map(({ where }) => where);
  const rate = `GPU at ${assumedRate / 1e12} TFLOPS`;
  return table(['`sampling`', 'quality', 'TFLOP', ...wheres, rate], rows);
}

/**
 * Seconds of each preset on a machine whose `fast` and `default` images were measured.
 * @param {typeof measured[number]} machine
 */
async function secondsOf({ prior, fast, slow }) {
  const decoder = slow - fast; // 25 more steps
  const estimator = estimatorOf();
  const upsample = fast - decoder - prior;
  estimator.record(settingsOf('fast'), 1, { prior, decoder, upsample });
  const seconds = samplings.map(async (sampling) => {
    const estimate = await estimator.estimate(settingsOf(sampling));
    return [sampling, estimate.seconds];
  });
  /** @type {Record<string, number>} */
  const all = Object.fromEntries(await Promise.all(seconds));
  return all;
}

/**
 * Floating-point operations of an image.
 * @param {typeof samplings[number]} sampling
 */
function flopOf(sampling) {
  const once = { prior: 1, decoder: 1, upsample: 1 };
  const { seconds } = estimatorOf().expect(settingsOf(sampling), 1, once);
  return seconds.prior + seconds.decoder + seconds.upsample;
}

/** Without a measured speed, it returns operations instead of seconds. */
function estimatorOf() {
  const memory = /** @type {const} */ ({
    device: 'cpu',
    dtype: 'float32',
    residency: 'resident',
    available: undefined,
  });
  return new Estimator(model, memory, /** @type {Cascade} */ ({}));
}

/** @param {typeof samplings[number]} sampling */
function settingsOf(sampling) {
  return resolveTextToImage('', { sampling });
}

/**
 * @param {string} markdown
 * @param {string} name
 * @param {string} content
 */
function withTable(markdown, name, content) {
  const block = new RegExp(`(<!-- ${name} -->)[^]*?(<!-- end -->)`);
  if (!block.test(markdown)) throw new Error(`Expected <!-- ${name} --> in ${page}`);
  return markdown.replace(block, (_, start, end) => `${start}\n\n${content}\n\n${end}`);
}
