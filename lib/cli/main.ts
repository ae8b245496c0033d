#!/usr/bin/env node
import { CommanderError } from 'commander';
import { explain } from '../util/explain.js';
import { failureJson, failureText } from './failure.js';
import { commands, createProgram } from './program.js';
import { confirm } from './terminal/confirm.js';
import { interruptedStatus } from './terminal/interruptible.js';
import { printJson, reportLine, reportText } from './terminal/output.js';
import { explainUsage, mistypedCommand } from './usage.js';

const exitStatus = { done: 0, failed: 1, wrongUsage: 2 };

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

process.exitCode = await run().then(() => process.exitCode ?? exitStatus.done, fail);

async function run(): Promise<void> {
  const mistake = mistypedCommand(process.argv[2] ?? '', [...Object.keys(commands), 'help']);
  if (mistake !== undefined && !(await confirm(mistake))) process.exit(exitStatus.wrongUsage);
  const names = commandsFor(process.argv[2]);
  if (needsLibTorch(names)) (await import('../torch/libc.js')).requireGlibc();
  if (opensLibTorch(names)) await preloadLibTorch();
  const program = await createProgram(names);
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
