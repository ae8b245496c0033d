// npm run bench [-- OPTION …]: measures this package and the reference in turn, on the same machine.
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import { Context } from './compare/context.mjs';
import { runCallers } from './compare/groups/callers.mjs';
import { full } from './compare/groups/full.mjs';
import { peaks } from './compare/groups/memory.mjs';
import { start } from './compare/groups/start.mjs';
import { tiny } from './compare/groups/tiny.mjs';
import { describeMachine } from './compare/machine.mjs';
import { defaultThreads } from './compare/package.mjs';
import { findReference, howToGetIt } from './compare/reference.mjs';
import { toMarkdown, writeReport } from './compare/report.mjs';

const repository = fileURLToPath(new URL('..', import.meta.url));

/** @type {Record<string, (context: Context) => Promise<void>>} */
const groups = { start, tiny, callers: runCallers, memory: peaks, full };
const names = Object.keys(groups);
const dtypes = ['float32', 'bfloat16'];

const options = new Command('npm run bench --')
  .description('Measures this package and the reference in turn, in one run.')
  .option('--reference <dir>', 'virtual environment of the reference, or its python')
  .option('--reference-script <file>', "the reference's script")
  .addOption(new Option('--only <group...>', 'groups to run').choices(names))
  .option('--quick', 'one round each, to check that the benchmark works')
  .option('--rounds <number>', 'rounds of every measurement', Number)
  .option('--model <dir>', 'the small model', join(repository, 'models', 'karlo-tiny'))
  .option('--full <dir>', 'the full-size model, as published')
  .option('--full-converted <dir>', 'the same model converted to bfloat16, for this package')
  .addOption(
    new Option('--full-dtypes <dtype...>', "the full-size model's dtypes on the CPU")
      .choices(dtypes)
      .default(dtypes),
  )
  .option('--device <device>', 'cpu, cuda or cuda:N', 'cpu')
  .option('--threads <number>', 'threads of each side', Number, defaultThreads().threads)
  .addOption(
    new Option('--dtype <dtype>', "the small model's dtype").choices(dtypes).default('float32'),
  )
  .option('--compile', 'compile the reference (torch.compile)')
  .option('--output <dir>', 'folder for the results', join(repository, 'bench', 'results'))
  .parse()
  .opts();

const say = (/** @type {string} */ line) => process.stderr.write(`${line}\n`);
const { reference: folder, referenceScript, only = names, output, ...rest } = options;
const reference = referenceOrExit();
if (reference === undefined) say(howToGetIt);

/** The reference; exits with a message if its paths are wrong. */
function referenceOrExit() {
  try {
    return findReference(folder, referenceScript);
  } catch (error) {
    say(/** @type {Error} */ (error).message);
    process.exit(2);
  }
}

const context = new Context(
  {
    ...{ ...rest, repository, model: resolve(rest.model) },
    ...(rest.full && { full: resolve(rest.full) }),
    ...(rest.fullConverted && { fullConverted: resolve(rest.fullConverted) }),
    ...{ quick: rest.quick === true, compile: rest.compile === true },
    ...(reference && { reference }),
  },
  say,
);
for (const name of names.filter((one) => only.includes(one))) {
  say(`${name} …`);
  await groups[name]?.(context);
}

const result = {
  date: new Date().toISOString(),
  machine: describeMachine(rest.device, rest.threads),
  reference: await context.referenceVersions(),
  quick: rest.quick === true,
  disturbance: context.disturbance,
  rows: context.rows,
};
const file = [result.machine.device, ...(only === names ? [] : only)]
  .join('-')
  .replace(/\W+/g, '-');
writeReport(result, output, file.toLowerCase());
console.log(toMarkdown(result));
