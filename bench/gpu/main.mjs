import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const say = (/** @type {string} */ line) => process.stderr.write(`${line}\n`);

const options = new Command('scripts/gpu-check')
  .description('Parity, memory and speed on an NVIDIA GPU, in under eight minutes.')
  .option('--device <device>', 'cuda or cuda:N', 'cuda')
  .option(
    '--full <dir>',
    'the full-size model, as published; without it, one with random weights is written, 7.5 GB',
  )
  .option('--reference <dir>', 'virtual environment of the reference, or its python')
  .option('--reference-script <file>', "the reference's script")
  .option('--minutes <number>', 'time limit; reports what was measured by then', Number, 7.5)
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
const { toMarkdown, writeReport } = await import('../compare/report.mjs');
const { runParts } = await import('./parts.mjs');

const reference = findReference(options.reference, options.referenceScript);
if (reference === undefined) say(howToGetIt);
const folder = options.full === undefined ? mkdtempSync(join(tmpdir(), 'karlo-full-')) : undefined;
const context = new Context(
  {
    ...{ repository, device: name, threads: defaultThreads().threads, dtype: 'float32' },
    ...{ model: join(repository, 'models', 'karlo-tiny'), quick: false, compile: false },
    ...{ full: folder ?? resolve(options.full), fullDtypes: ['bfloat16'] },
    ...(reference && { reference }),
  },
  say,
);
try {
  const notes = await runParts(context, {
    writeModel: folder !== undefined,
    minutes: options.minutes,
  });
  const result = {
    ...{ date: new Date().toISOString(), machine: describeMachine(name, context.options.threads) },
    ...{ reference: context.versions, quick: false, notes },
    ...{ disturbance: context.disturbance, rows: context.rows },
  };
  writeReport(result, options.output, `gpu-${card.name}`.replace(/\W+/g, '-').toLowerCase());
  console.log(toMarkdown(result));
  process.exitCode = notes.length > 0 ? 1 : 0;
} finally {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
}
