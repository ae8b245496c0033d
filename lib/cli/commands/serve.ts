import { type Command, Option } from 'commander';
import { expected } from '../../errors.js';
import { type Leniency, openai, strict } from '../../serve/protocol/leniency.js';
import {
  createSettings,
  defaults,
  type LogFormat,
  minKeyLength,
  type ServerSettings,
} from '../../serve/settings.js';
import { importWith, serverPackages } from '../../util/optional-packages.js';
import { httpUrl, nonNegative, port, positive, seconds } from '../flag-values.js';
import {
  addServerOptions,
  defined,
  queueOption,
  type ServerLoadFlags,
  serverLoadOptionsOf,
} from '../flags.js';

interface Flags extends ServerLoadFlags {
  host: string;
  port: number;
  apiKey?: string[];
  insecure?: boolean;
  cors?: string[];
  publicUrl?: string;
  compat?: string[];
  modelAlias?: string[];
  sizePolicy?: Leniency['sizePolicy'];
  unknownFields?: Leniency['unknownFields'];
  responseFormat?: Leniency['responseFormat'];
  maxN: number;
  maxImage: number;
  uploadBudget: number;
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
  logFormat: LogFormat;
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
      'URL of the server for clients, if it is behind a proxy (default: the address that it listens on)',
      httpUrl,
    )
    .addOption(
      new Option(
        '--compat <client...>',
        'accept what these clients send by default (default: none)',
      ).choices(['openai', 'a1111']),
    )
    .option(
      '--model-alias <name...>',
      "further names of the model, such as dall-e-3, or '*' for any (default: none)",
    )
    .addOption(
      new Option(
        '--size-policy <policy>',
        "other sizes than the model's: refuse them, or resize images (default: strict)",
      ).choices(['strict', 'resize']),
    )
    .addOption(
      new Option(
        '--unknown-fields <policy>',
        'refuse requests with unknown fields, or answer with a warning (default: refuse)',
      ).choices(['refuse', 'warn']),
    )
    .addOption(
      new Option(
        '--response-format <format>',
        'how images are returned by default; openai: by URL to clients that name dall-e (default: b64_json)',
      ).choices(['b64_json', 'url', 'openai']),
    )
    .option('--max-n <number>', 'maximum number of images per request', positive, defaults.maxN)
    .option(
      '--max-image <megabytes>',
      'maximum size of the input images of a request',
      positive,
      defaults.maxImageBytes / 1e6,
    )
    .option(
      '--upload-budget <megabytes>',
      'maximum size of all requests in memory; further ones receive status 429',
      positive,
      defaults.uploadBudget / 1e6,
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
  karlo serve --safety CompVis/stable-diffusion-safety-checker
  karlo serve --compat openai # for clients that ask for dall-e-3 at 1024x1024
  karlo serve --queue redis://localhost`,
    )
    .action(start);
}

async function start(flags: Flags): Promise<void> {
  // Imported here, because no other command needs a server.
  const { serve } = await importWith(serverPackages, () => import('../../serve/main.js'));
  const { concurrency, queue, queueName } = flags;
  const karlo = serverLoadOptionsOf(flags);
  if (queue !== undefined && karlo.safety !== undefined) {
    const fix = 'karlo worker checks the images that it generates';
    throw expected('no --safety with --queue', '--safety', karlo.safety, fix);
  }
  await serve({
    karlo,
    settings: createSettings(settingsOf(flags)),
    concurrency,
    batchSize: flags.batchSize,
    capacity: flags.queueSize,
    results: { location: flags.results, seconds: flags.resultTime },
    logFormat: flags.logFormat,
    queue: queue === undefined ? undefined : { url: queue, name: queueName },
  });
}

function settingsOf(flags: Flags): Partial<ServerSettings> {
  const { host, insecure, cors, publicUrl, maxN, requestTimeout, rateLimit } = flags;
  const fromFlags = { host, insecure, cors, publicUrl, maxN, requestTimeout, rateLimit };
  return defined({
    ...fromFlags,
    port: flags.port,
    leniency: leniencyOf(flags),
    a1111: flags.compat?.includes('a1111') ?? false,
    apiKeys: [...(flags.apiKey ?? []), ...keysOfEnvironment()],
    maxImageBytes: 1e6 * flags.maxImage,
    uploadBudget: 1e6 * flags.uploadBudget,
    resultSeconds: flags.resultTime,
    logLevel: flags.logLevel,
    logPrompts: flags.logPrompts,
  }) as Partial<ServerSettings>;
}

/** `--compat openai`, and the flags that are more specific. */
function leniencyOf({ compat, modelAlias, ...flags }: Flags): Leniency {
  const { sizePolicy, unknownFields, responseFormat } = flags;
  return {
    ...(compat?.includes('openai') ? openai : strict),
    ...defined({ modelAliases: modelAlias, sizePolicy, unknownFields, responseFormat }),
  };
}

function keysOfEnvironment(): string[] {
  const keys = (process.env.KARLO_API_KEYS ?? '').split(',').map((key) => key.trim());
  return keys.filter((key) => key !== '');
}
