// npm run bench -- quality [OPTION …]: how good karlo-tiny's images are with few steps, for each sampler. A run
// continues where an earlier one with the same output folder stopped.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { describeMachine } from './compare/machine.mjs';
import { defaultThreads } from './compare/package.mjs';
import { Judge } from './quality/measure.mjs';
import { plot } from './quality/plot.mjs';
import { allSettings } from './quality/settings.mjs';
import { toMarkdown } from './quality/table.mjs';

const repository = fileURLToPath(new URL('..', import.meta.url));
const options = new Command('npm run bench -- quality')
  .description('Measures the quality of images over steps, samplers and guidance intervals.')
  .option('--only <text...>', 'settings whose label contains one of these texts')
  .option('--quick', 'few prompts and settings, to check that the benchmark works')
  .option('--prompts <number>', 'images of each setting', Number, 300)
  .option('--reference <number>', 'images to which the Fréchet distance is measured', Number, 2000)
  .option('--minutes <number>', 'start no further setting after this time', Number, Infinity)
  .option('--times', 'measure the seconds of existing rows again, on a machine that is quiet now')
  .option('--output <dir>', 'folder for the results', join(repository, 'bench', 'results'))
  .parse()
  .opts();

const quick = { only: ['fast', 'decoder dpm++ 4 0-1'], prompts: 2, reference: 8 };
const { only, prompts, reference: references } = options.quick ? quick : options;
const settings = allSettings().filter(
  ({ label }) => !only || only.some((/** @type {string} */ text) => label.includes(text)),
);
const file = (/** @type {string} */ extension) => join(options.output, `quality.${extension}`);
const end = performance.now() + 60_000 * options.minutes;

/** @typedef {Omit<import('./quality/settings.mjs').Setting, 'options'> & import('./quality/measure.mjs').Quality} Row */
/** @typedef {'images' | 'drafts'} Kind */
/**
 * @typedef {object} Result
 * @property {import('./compare/machine.mjs').Machine} machine
 * @property {Record<Kind, number[][]>} reference embeddings
 * @property {Row[]} rows
 */

/** @type {Result} */
const result = existsSync(file('json'))
  ? JSON.parse(readFileSync(file('json'), 'utf8'))
  : {
      machine: describeMachine('cpu', defaultThreads().threads),
      reference: { images: [], drafts: [] },
      rows: [],
    };

const judge = await Judge.load(join(repository, 'models', 'karlo-tiny'));
if (options.times) await addTimes();
else await addRows();
await judge.dispose();

async function addRows() {
  for (const kind of new Set(settings.map(kindOf))) await addReference(kind);
  for (const setting of settings) await addRow(setting);
}

async function addTimes() {
  for (const setting of settings) {
    const row = result.rows.find(({ label }) => label === setting.label);
    if (row) row.seconds = await judge.secondsOf(setting);
  }
  save();
}

/** @param {import('./quality/settings.mjs').Setting} setting @returns {Kind} */
function kindOf({ options: { stopAfter } }) {
  return stopAfter === undefined ? 'images' : 'drafts';
}

/**
 * Generates the reference images that are missing, some at a time.
 * @param {Kind} kind
 */
async function addReference(kind) {
  const embeddings = result.reference[kind];
  while (embeddings.length < references && performance.now() < end) {
    const first = embeddings.length;
    const count = Math.min(40, references - first);
    const options = kind === 'drafts' ? /** @type {const} */ ({ stopAfter: 'decoder' }) : {};
    const embeds = await judge.reference(first, count, options);
    // Four digits are more than float32 images agree on.
    embeddings.push(...embeds.map((row) => Array.from(row, (x) => Number(x.toFixed(4)))));
    process.stderr.write(`reference ${kind} ${embeddings.length} of ${references}\n`);
    save();
  }
}

/** @param {import('./quality/settings.mjs').Setting} setting */
async function addRow(setting) {
  const same = (/** @type {Row} */ row) => row.label === setting.label && row.prompts >= prompts;
  if (result.rows.some(same) || performance.now() > end) return;
  const reference = result.reference[kindOf(setting)].map((row) => Float32Array.from(row));
  const { options: _, ...described } = setting;
  const row = { ...described, ...(await judge.measure(setting, prompts, reference)) };
  result.rows = [...result.rows.filter(({ label }) => label !== setting.label), row];
  process.stderr.write(`${setting.label}: ${row.colour.toFixed(3)}, ${row.seconds.toFixed(3)} s\n`);
  save();
}

function save() {
  mkdirSync(options.output, { recursive: true });
  writeFileSync(file('json'), `${JSON.stringify(result)}\n`);
  writeFileSync(file('md'), toMarkdown(result));
  writeFileSync(file('svg'), plot(result.rows));
}
