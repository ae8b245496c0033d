import { type Command, InvalidArgumentError } from 'commander';
import type { KarloOptions } from '../karlo.js';
import type { ServerSettings } from '../serve/settings.js';
import { defined, toNumber, toOption } from './make.js';

interface Flags extends Pick<KarloOptions, 'model' | 'device' | 'dtype' | 'threads'> {
  host?: string;
  port?: number;
  apiKey?: string[];
  insecure?: boolean;
  cors?: string[];
  publicUrl?: string;
  maxN?: number;
  maxImage?: number;
  queueSize: number;
  concurrency: number;
  requestTimeout?: number;
  rateLimit?: number;
  resultTime?: number;
  logLevel?: ServerSettings['logLevel'];
  logPrompts?: boolean;
}

/** `karlo serve`: the page and an API that OpenAI's clients speak. */
export function addServe(program: Command): void {
  program
    .command('serve')
    .description('serve the page and an HTTP API as OpenAI has it')
    .option(
      '--host <address>',
      'address to listen on; others than loopback need a key',
      '127.0.0.1',
    )
    .option('--port <number>', 'port, 0 for any', port, 8080)
    .option('--api-key <key...>', 'keys that open the API; also KARLO_API_KEYS, with commas')
    .option('--insecure', 'serve without a key on an address that others reach')
    .option('--cors <origin...>', 'origins of web pages elsewhere that may use the API')
    .option('--public-url <url>', 'where clients reach the server, behind a proxy', url)
    .option('--max-n <number>', 'pictures a request', positive, 8)
    .option('--max-image <megabytes>', 'a picture to vary', positive, 20)
    .option(
      '--queue-size <number>',
      'requests that may wait; more are told to come back',
      positive,
      64,
    )
    .option('--concurrency <number>', 'requests at work at once', positive, 4)
    .option('--request-timeout <seconds>', 'time for a request, waiting included', positive, 600)
    .option(
      '--rate-limit <number>',
      'picture requests a minute for each key; 0 is no limit',
      whole,
      300,
    )
    .option('--result-time <seconds>', 'how long pictures answered by url are kept', positive, 3600)
    .addOption(
      toOption('--log-level <level>', 'what is logged', [
        'fatal',
        'error',
        'warn',
        'info',
        'debug',
        'silent',
      ]).default('info'),
    )
    .option('--log-prompts', 'log prompts, too')
    .option('--model <name>', 'karlo-tiny, or a model folder')
    .option('--device <device>', 'auto, cpu, cuda or cuda:N')
    .option('--dtype <dtype>', 'auto, float32, bfloat16 or float16')
    .option('--threads <number>', 'threads that compute', toNumber)
    .addHelpText(
      'after',
      `
Examples:
  karlo serve
  karlo serve --port 9000 --model ./karlo-v1-alpha
  KARLO_API_KEYS=$(openssl rand -hex 16) karlo serve --host 0.0.0.0`,
    )
    .action(start);
}

async function start(flags: Flags): Promise<void> {
  // Loaded here: no other command needs a server.
  const { serve } = await import('../serve/main.js');
  const { defaults } = await import('../serve/settings.js');
  const { model, device, dtype, threads, queueSize, concurrency, ...rest } = flags;
  await serve({
    karlo: defined({ model, device, dtype, threads }),
    settings: { ...defaults, ...settingsOf(rest) },
    concurrency,
    capacity: queueSize,
  });
}

function settingsOf(flags: Omit<Flags, 'queueSize' | 'concurrency'>): Partial<ServerSettings> {
  const { apiKey = [], maxImage, resultTime, ...same } = flags;
  return defined({
    ...same,
    apiKeys: [...apiKey, ...keysOfEnvironment()],
    maxImageBytes: maxImage && 1e6 * maxImage,
    resultSeconds: resultTime,
  }) as Partial<ServerSettings>;
}

function keysOfEnvironment(): string[] {
  const keys = (process.env.KARLO_API_KEYS ?? '').split(',').map((key) => key.trim());
  return keys.filter((key) => key !== '');
}

function port(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 0 && number < 65536) return number;
  throw new InvalidArgumentError('Expected a port, 0 to 65535.');
}

export function whole(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 0) return number;
  throw new InvalidArgumentError('Expected a whole number.');
}

export function positive(text: string): number {
  const number = whole(text);
  if (number > 0) return number;
  throw new InvalidArgumentError('Expected a whole number above 0.');
}

function url(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new InvalidArgumentError('Expected an http or https URL.');
}
