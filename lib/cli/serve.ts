import type { Command } from 'commander';
import type { KarloOptions } from '../karlo.js';
import type { ServerSettings } from '../serve/settings.js';
import { defined } from './options.js';
import {
  addModelOptions,
  addQueueOptions,
  httpUrl,
  port,
  positive,
  queueOption,
  seconds,
  whole,
} from './options-serve.js';

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

/** `karlo serve`: the page, and an API that OpenAI's clients speak. */
export function addServe(program: Command): void {
  const command = program
    .command('serve')
    .description('serve the page, and an HTTP API that OpenAI clients speak')
    .option('--host <address>', 'address; others than loopback need a key', '127.0.0.1')
    .option('--port <number>', 'port, 0 for any', port, 8080)
    .option('--api-key <key...>', 'keys that open the API; also KARLO_API_KEYS, with commas')
    .option('--insecure', 'serve without a key on an address that others reach')
    .option('--cors <origin...>', 'origins of web pages elsewhere that may use the API')
    .option('--public-url <url>', 'where clients reach the server, behind a proxy', httpUrl)
    .option('--max-n <number>', 'pictures a request', positive, 8)
    .option('--max-image <megabytes>', 'a picture to vary', positive, 20)
    .option('--queue-size <number>', 'requests that may wait; more get status 429', positive, 64)
    .option('--concurrency <number>', 'requests at work at once', positive, 4)
    .option('--request-timeout <seconds>', 'for a request, waiting included', seconds, 600)
    .option('--rate-limit <number>', 'picture requests a minute a key; 0: no limit', whole, 300)
    .option('--log-prompts', 'log prompts, too')
    .addOption(queueOption('let karlo worker do the work, by Redis: redis://…'));
  addModelOptions(addQueueOptions(command))
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
  // Loaded here: no other command needs a server.
  const { serve } = await import('../serve/main.js');
  const { defaults } = await import('../serve/settings.js');
  const { model, device, dtype, threads, concurrency, queue, queueName } = flags;
  await serve({
    karlo: defined({ model, device, dtype, threads }),
    settings: { ...defaults, ...settingsOf(flags) },
    concurrency,
    batchSize: flags.batchSize,
    capacity: flags.queueSize,
    results: { location: flags.results, seconds: flags.resultTime },
    queue: queue === undefined ? undefined : { url: queue, name: queueName },
  });
}

function settingsOf(flags: Flags): Partial<ServerSettings> {
  const { host, insecure, cors, publicUrl, maxN, requestTimeout, rateLimit } = flags;
  const given = { host, insecure, cors, publicUrl, maxN, requestTimeout, rateLimit };
  return defined({
    ...given,
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
