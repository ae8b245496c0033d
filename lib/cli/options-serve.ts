import { type Command, InvalidArgumentError, Option } from 'commander';
import { toNumber, toOption } from './options.js';

const mostSeconds = 2_000_000;

/** `--queue`. The address may hold a password, which the environment hides better than a command line. */
export function queueOption(description: string): Option {
  return new Option('--queue <url>', description).env('KARLO_QUEUE').argParser(redisUrl);
}

/** Options of where jobs and pictures go, and of the log. */
export function addQueueOptions(command: Command): Command {
  const levels = ['fatal', 'error', 'warn', 'info', 'debug', 'silent'];
  return command
    .option('--queue-name <name>', 'several queues may share one Redis', queueName, 'karlo')
    .option('--results <place>', 'keep pictures in a folder or s3://BUCKET/PREFIX that all share')
    .option('--result-time <seconds>', 'how long pictures are kept', seconds, 3600)
    .addOption(toOption('--log-level <level>', 'what is logged', levels).default('info'));
}

/** Options of the model that does the work. */
export function addModelOptions(command: Command): Command {
  return command
    .option('--model <name>', 'karlo-tiny, or a model folder')
    .option('--device <device>', 'auto, cpu, cuda or cuda:N')
    .option('--dtype <dtype>', 'auto, float32, bfloat16 or float16')
    .option('--threads <number>', 'threads that compute', toNumber)
    .option('--batch-size <number>', 'pictures of all requests that are made at once', positive, 1);
}

export function port(text: string): number {
  const number = whole(text);
  if (number < 65536) return number;
  throw new InvalidArgumentError('Expected a port, 0 to 65535.');
}

export function whole(text: string): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isInteger(number) && number >= 0) return number;
  throw new InvalidArgumentError('Expected a whole number.');
}

export function positive(text: string): number {
  const number = whole(text);
  if (number > 0) return number;
  throw new InvalidArgumentError('Expected a whole number above 0.');
}

/** At most what a timer can count, in milliseconds of 31 bits. */
export function seconds(text: string): number {
  const number = whole(text);
  if (number > 0 && number <= mostSeconds) return number;
  throw new InvalidArgumentError(`Expected a whole number of seconds, 1 to ${mostSeconds}.`);
}

export function httpUrl(text: string): string {
  if (isUrl(text, ['http:', 'https:'])) return text;
  throw new InvalidArgumentError('Expected an http or https URL.');
}

function redisUrl(text: string): string {
  if (isUrl(text, ['redis:', 'rediss:'])) return text;
  throw new InvalidArgumentError('Expected a redis:// or rediss:// URL.');
}

function isUrl(text: string, protocols: readonly string[]): boolean {
  return URL.canParse(text) && protocols.includes(new URL(text).protocol);
}

/** Colons part the names of keys in Redis. */
function queueName(text: string): string {
  if (/^[\w-]{1,50}$/.test(text)) return text;
  throw new InvalidArgumentError('Expected letters, digits, - and _.');
}
