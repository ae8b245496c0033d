#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { KarloError } from '../errors.js';
import { packageJson } from '../package.js';
import { addConvert } from './convert.js';
import { addGenerate } from './generate.js';
import { addInfo } from './info.js';
import { addModels } from './models.js';
import { addPull } from './pull.js';
import { addServe } from './serve.js';
import { addSetup } from './setup.js';
import { explainUsage } from './usage.js';
import { addVary } from './vary.js';
import { addWorker } from './worker.js';

const exitStatus = { done: 0, failed: 1, wrongUsage: 2 };

const { version, description } = packageJson();

const program = new Command('karlo')
  .description(description)
  .version(version)
  .usage('[command] [options] | "<prompt>" [options]')
  .addHelpText(
    'after',
    `
Examples:
  karlo "a red heart on a white background"
  karlo generate --help`,
  )
  .exitOverride();
addGenerate(program);
addVary(program);
addInfo(program, version);
addSetup(program);
addConvert(program);
addServe(program);
addWorker(program);
addPull(program);
addModels(program);
explainUsage(program);

process.exitCode = await program.parseAsync().then(() => process.exitCode ?? exitStatus.done, fail);

function fail(error: unknown): number {
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? exitStatus.done : exitStatus.wrongUsage;
  }
  const known = error instanceof KarloError || (error as { code?: unknown }).code !== undefined;
  const text = known ? `${(error as KarloError).code}: ${(error as Error).message}` : error;
  console.error(text);
  return exitStatus.failed;
}
