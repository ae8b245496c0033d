#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { explain } from '../util/explain.js';
import { packageJson } from '../util/package.js';
import { failureJson, failureText } from './failure.js';
import { confirm } from './terminal/confirm.js';
import { interruptedStatus } from './terminal/interruptible.js';
import { printJson, reportLine, reportText } from './terminal/output.js';
import { explainUsage, mistypedCommand } from './usage.js';

const exitStatus = { done: 0, failed: 1, wrongUsage: 2 };

const { version, description } = packageJson();

type AddCommand = (program: Command, version: string) => void;

interface CommandModule {
  /** Imported only when it is needed: together, the libraries of all commands take a third of a second. */
  readonly load: () => Promise<AddCommand>;
  /** Whether the command loads a model, so that LibTorch is opened early. */
  readonly opensLibTorch?: boolean;
  /** Whether the command also works where there is no LibTorch. */
  readonly withoutLibTorch?: boolean;
}

const commands: Readonly<Record<string, CommandModule>> = {
  generate: {
    load: async () => (await import('./commands/generate.js')).addGenerate,
    opensLibTorch: true,
  },
  vary: { load: async () => (await import('./commands/vary.js')).addVary, opensLibTorch: true },
  mix: { load: async () => (await import('./commands/mix.js')).addMix, opensLibTorch: true },
  interpolate: {
    load: async () => (await import('./commands/interpolate.js')).addInterpolate,
    opensLibTorch: true,
  },
  edit: { load: async () => (await import('./commands/edit.js')).addEdit, opensLibTorch: true },
  img2img: {
    load: async () => (await import('./commands/img2img.js')).addImageToImage,
    opensLibTorch: true,
  },
  inpaint: {
    load: async () => (await import('./commands/inpaint.js')).addInpaint,
    opensLibTorch: true,
  },
  invert: {
    load: async () => (await import('./commands/invert.js')).addInvert,
    opensLibTorch: true,
  },
  reconstruct: {
    load: async () => (await import('./commands/reconstruct.js')).addReconstruct,
    opensLibTorch: true,
  },
  upscale: {
    load: async () => (await import('./commands/upscale.js')).addUpscale,
    opensLibTorch: true,
  },
  finish: {
    load: async () => (await import('./commands/finish.js')).addFinish,
    opensLibTorch: true,
  },
  eval: { load: async () => (await import('./commands/eval.js')).addEval, opensLibTorch: true },
  info: { load: async () => (await import('./commands/info.js')).addInfo },
  setup: { load: async () => (await import('./commands/setup.js')).addSetup },
  convert: { load: async () => (await import('./commands/convert.js')).addConvert },
  verify: {
    load: async () => (await import('./commands/verify.js')).addVerify,
    opensLibTorch: true,
  },
  serve: { load: async () => (await import('./commands/serve.js')).addServe },
  worker: { load: async () => (await import('./commands/worker.js')).addWorker },
  mcp: { load: async () => (await import('./commands/mcp.js')).addMcp },
  pull: { load: async () => (await import('./commands/pull.js')).addPull, withoutLibTorch: true },
  models: {
    load: async () => (await import('./commands/models.js')).addModels,
    withoutLibTorch: true,
  },
};

// The reader of a pipe may stop early: `karlo --help | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitStatus.done);
  reportLine(`ERR_KARLO_WRITE: Cannot write to stdout: ${error.message}`);
  process.exit(exitStatus.failed);
});

process.on('exit', (status) => {
  if (status !== interruptedStatus || !asksForJson()) return;
  const error = { code: 'ERR_KARLO_ABORTED', message: 'A signal ended the command' };
  printJson({ error });
});

const program = new Command('karlo')
  .description(description)
  .version(version)
  .usage('"<prompt>" [options] | <command> [options]')
  .addHelpText(
    'after',
    `
Examples:
  karlo "a red heart on a white background"
  karlo generate --help`,
  )
  .exitOverride();
process.exitCode = await run().then(() => process.exitCode ?? exitStatus.done, fail);

async function run(): Promise<void> {
  const mistake = mistypedCommand(process.argv[2] ?? '', [...Object.keys(commands), 'help']);
  if (mistake !== undefined && !(await confirm(mistake))) process.exit(exitStatus.wrongUsage);
  const names = commandsFor(process.argv[2]);
  if (needsLibTorch(names)) (await import('../torch/libc.js')).requireGlibc();
  if (opensLibTorch(names)) await preloadLibTorch();
  for (const name of names) (await commands[name]?.load())?.(program, version);
  explainUsage(program);
  await program.parseAsync();
}

/** The command that the first argument names, `generate` for a prompt, or all for `karlo --help`. */
function commandsFor(first = 'help'): string[] {
  if (Object.hasOwn(commands, first)) return [first];
  return first === 'help' || /^-./.test(first) ? Object.keys(commands) : ['generate'];
}

function opensLibTorch(names: readonly string[]): boolean {
  return needsLibTorch(names) && commands[names[0] ?? '']?.opensLibTorch === true;
}

function needsLibTorch([name = '', ...others]: readonly string[]): boolean {
  const asksForHelp = process.argv.some((word) => word === '--help' || word === '-h');
  return others.length === 0 && !commands[name]?.withoutLibTorch && !asksForHelp;
}

/** LibTorch opens on another thread while the command and the code that loads a model are imported. */
async function preloadLibTorch(): Promise<void> {
  const { openAhead, skipTeardown } = await import('../torch/load.js');
  skipTeardown();
  void openAhead();
  // An error occurs again, and is reported, when the model is loaded.
  import('../pipeline/load.js').catch(() => {});
}

function fail(reason: unknown): number {
  const error = explain(reason);
  const isUsage = error instanceof CommanderError;
  if (isUsage && error.exitCode === 0) return exitStatus.done;
  // Commander has already written its own errors.
  if (!isUsage) reportText(failureText(error));
  if (asksForJson()) printJson({ error: failureJson(error) });
  return isUsage ? exitStatus.wrongUsage : exitStatus.failed;
}

function asksForJson(): boolean {
  const { argv } = process;
  const end = argv.indexOf('--');
  return argv.slice(2, end === -1 ? argv.length : end).includes('--json');
}
