import type { Command } from 'commander';
import type { LogFormat, ServerSettings } from '../../serve/settings.js';
import { importWith, serverPackages } from '../../util/optional-packages.js';
import { positive } from '../flag-values.js';
import {
  addServerOptions,
  queueOption,
  type ServerLoadFlags,
  serverLoadOptionsOf,
} from '../flags.js';

interface Flags extends ServerLoadFlags {
  queue: string;
  queueName: string;
  results?: string;
  resultTime: number;
  concurrency: number;
  batchSize: number;
  logLevel: ServerSettings['logLevel'];
  logFormat: LogFormat;
}

/** `karlo worker`: runs the jobs that `karlo serve --queue` accepts. */
export function addWorker(program: Command): void {
  const command = program
    .command('worker')
    .description('run the jobs of a queue that karlo serve --queue fills')
    .addOption(queueOption('Redis queue: redis://… or rediss://…').makeOptionMandatory())
    .option('--concurrency <number>', 'number of jobs that run at the same time', positive, 2);
  addServerOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  karlo serve --queue redis://localhost
  karlo worker --queue redis://localhost --device cuda:0
  karlo worker --queue redis://localhost --device cuda:1`,
    )
    .action(start);
}

async function start(flags: Flags): Promise<void> {
  // Imported here, because no other command needs a queue.
  const { runWorker } = await importWith(serverPackages, () => import('../../serve/main.js'));
  const { concurrency, logLevel, logFormat } = flags;
  await runWorker({
    karlo: serverLoadOptionsOf(flags),
    queue: { url: flags.queue, name: flags.queueName },
    results: { location: flags.results, seconds: flags.resultTime },
    concurrency,
    batchSize: flags.batchSize,
    logLevel,
    logFormat,
  });
}
