import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const usualMinutes = 5.75;
const say = (/** @type {string} */ line) => process.stderr.write(`${line}\n`);

const options = new Command('scripts/gpu-check')
  .description('Checks everything that needs an NVIDIA GPU, in under six minutes.')
  .option('--device <device>', 'cuda or cuda:N', 'cuda')
  .option(
    '--full <dir>',
    'the full-size model, as published; without it, one with random weights is written, 7.5 GB',
  )
  .option('--no-full', 'karlo-tiny only')
  .option('--only <part...>', 'run these parts only')
  .option('--quick', 'fewer steps and images, to test the check itself', false)
  .option('--reference <dir>', 'virtual environment of the reference, or its python')
  .option('--reference-script <file>', "the reference's script")
  .option(
    '--minutes <number>',
    'time limit; reports what was measured by then',
    Number,
    usualMinutes,
  )
  .option('--output <dir>', 'folder of the results', join(repository, 'bench', 'results'))
  .parse()
  .opts();

if (!existsSync(join(repository, 'dist', 'lib', 'index.js'))) {
  say('Expected a built checkout but found no dist: run npm run build first');
  process.exit(1);
}
const { defaultThreads, devices } = await import('../compare/package.mjs');
const cards = devices().filter(({ device }) => device.startsWith('cuda'));
const name = options.device === 'cuda' ? 'cuda:0' : options.device;
const card = cards.find(({ device, available }) => available && device === name);
if (card === undefined) {
  const reason = cards.find(({ available }) => !available)?.reason;
  say(
    `No CUDA device '${options.device}'. ${reason ?? `Available: ${cards.map(({ device }) => device)}`}`,
  );
  process.exit(1);
}

const { Context } = await import('../compare/context.mjs');
const { describeMachine } = await import('../compare/machine.mjs');
const { findReference, howToGetIt } = await import('../compare/reference.mjs');
const { planParts } = await import('./plan.mjs');
const { missedLimits, toGpuMarkdown, writeGpuReport } = await import('./report.mjs');
const { runParts } = await import('./run-parts.mjs');

const reference = findReference(options.reference, options.referenceScript);
if (reference === undefined) say(howToGetIt);
const writeModel = options.full === true || options.full === undefined;
const folder = writeModel ? mkdtempSync(join(tmpdir(), 'karlo-full-')) : undefined;
const full = folder ?? (options.full && resolve(options.full));
const context = new Context(
  {
    ...{ repository, device: name, threads: defaultThreads().threads, dtype: 'float32' },
    ...{ model: join(repository, 'models', 'karlo-tiny'), quick: options.quick, compile: false },
    ...{ fullDtypes: ['bfloat16'], ...(full && { full }), ...(reference && { reference }) },
  },
  say,
);

/** @type {Record<string, string>} */
const facts = {};
const date = new Date().toISOString();
const machine = describeMachine(name, context.options.threads);
const file = `gpu-${card.name}`.replace(/\W+/g, '-').toLowerCase();

/** What is known so far. @param {readonly import('./run-parts.mjs').Outcome[]} parts */
function resultOf(parts) {
  const notes = missedLimits(context.rows);
  const { versions, disturbance, rows } = context;
  return {
    date,
    machine,
    reference: versions,
    quick: options.quick,
    facts,
    parts,
    notes,
    disturbance,
    rows,
  };
}

try {
  const all = planParts(context, { facts, writeModel });
  const unknown = options.only?.find(
    (/** @type {string} */ one) => !all.some(({ name }) => name === one),
  );
  if (unknown)
    throw new Error(`Expected one of ${all.map(({ name }) => name)} but received ${unknown}`);
  const parts = await runParts(
    all.filter(({ name }) => options.only?.includes(name) ?? true),
    {
      seconds: options.minutes * 60,
      // A slow device gets more time for each part.
      scale: Math.max(1, options.minutes / usualMinutes),
      stop: () => context.killSides(),
      onStart: (name) => say(`${name} …`),
      onOutcome: (outcomes) => writeGpuReport(resultOf(outcomes), options.output, file),
    },
  );
  const result = resultOf(parts);
  writeGpuReport(result, options.output, file);
  console.log(toGpuMarkdown(result));
  const passed = parts.every(({ status }) => status === 'passed');
  process.exitCode = passed && result.notes.length === 0 ? 0 : 1;
} finally {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
}
