import type { Command } from 'commander';
import type { KarloOptions } from '../../karlo.js';
import {
  createSettings,
  defaults,
  minKeyLength,
  type ServerSettings,
} from '../../serve/settings.js';
import { httpUrl, nonNegative, port, positive, seconds } from '../flag-values.js';
import { addServerOptions, defined, queueOption } from '../flags.js';

interface Flags extends Pick<KarloOptions, 'model' | 'device' | 'dtype' | 'threads'> {
  host: string;
  port: number;
  apiKey?: string[];
  insecure?: boolean;
  cors?: string[];
  publicUrl?: string;
  maxN: number;
  maxImage: number;
  queueSize: number;
  concurrency: number;
  batchSize: number;
  requestTimeout: number;
  rateLimit: number;
  queue?: string;
  queueName: string;
  results?: string;
  resultTime: number;
  logLevel: ServerSettings['logLevel'];
  logPrompts?: boolean;
}

/** `karlo serve`: serves the page and an OpenAI-compatible API. */
export function addServe(program: Command): void {
  const command = program
    .command('serve')
    .description('serve the web page and an HTTP API for OpenAI clients')
    .option(
      '--host <address>',
      'address to listen on; other than loopback requires a key',
      defaults.host,
    )
    .option('--port <number>', 'port to listen on, or 0 for any free one', port, defaults.port)
    .option(
      '--api-key <key...>',
      `keys for the API, of at least ${minKeyLength} characters (env: KARLO_API_KEYS, separated by commas; default: none)`,
    )
    .option('--insecure', 'serve other machines without a key')
    .option('--cors <origin...>', 'origins of other web pages that may use the API (default: none)')
    .option(
      '--public-url <url>',
      'URL of the server for clients, if it is behind a proxy (default: the host of each request)',
      httpUrl,
    )
    .option('--max-n <number>', 'maximum number of images per request', positive, defaults.maxN)
    .option(
      '--max-image <megabytes>',
      'maximum size of an input image',
      positive,
      defaults.maxImageBytes / 1e6,
    )
    .option('--queue-size <number>', 'maximum number of waiting requests', positive, 64)
    .option('--concurrency <number>', 'number of requests that run at the same time', positive, 4)
    .option(
      '--request-timeout <seconds>',
      'time limit of a request, with its wait',
      seconds,
      defaults.requestTimeout,
    )
    .option(
      '--rate-limit <number>',
      'image requests per minute and key, or 0 for no limit',
      nonNegative,
      defaults.rateLimit,
    )
    .option('--log-prompts', 'include prompts in the log')
    .addOption(
      queueOption(
        'Redis queue for karlo worker: redis://… (default: none, this process runs the requests)',
      ),
    );
  addServerOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  karlo serve
  karlo serve --port 9000 --model ./karlo-v1-alpha
  KARLO_API_KEYS=$(openssl rand -hex 16) karlo serve --host 0.0.0.0
  karlo serve --queue redis://localhost`,
    )
    .action(start);
}

async function start(flags: Flags): Promise<void> {
  // Imported here, because no other command needs a server.
  const { serve } = await import('../../serve/main.js');
  const { model, device, dtype, threads, concurrency, queue, queueName } = flags;
  await serve({
    karlo: defined({ model, device, dtype, threads }),
    settings: createSettings(settingsOf(flags)),
    concurrency,
    batchSize: flags.batchSize,
    capacity: flags.queueSize,
    results: { location: flags.results, seconds: flags.resultTime },
    queue: queue === undefined ? undefined : { url: queue, name: queueName },
  });
}

function settingsOf(flags: Flags): Partial<ServerSettings> {
  const { host, insecure, cors, publicUrl, maxN, requestTimeout, rateLimit } = flags;
  const fromFlags = { host, insecure, cors, publicUrl, maxN, requestTimeout, rateLimit };
  return defined({
    ...fromFlags,
    port: flags.port,
    apiKeys: [...(flags.apiKey ?? []), ...keysOfEnvironment()],
    maxImageBytes: 1e6 * flags.maxImage,
    resultSeconds: flags.resultTime,
    logLevel: flags.logLevel,
    logPrompts: flags.logPrompts,
  }) as Partial<ServerSettings>;
}

function keysOfEnvironment(): string[] {
  const keys = (process.env.KARLO_API_KEYS ?? '').split(',').map((key) => key.trim());
  return keys.filter((key) => key !== '');
}
