// Parsers for the values of flags.
import { InvalidArgumentError } from 'commander';
import { animationFormatOf, animationFormats } from '../images/animation.js';

export function toNumber(text: string): number {
  const number = Number(text);
  if (text.trim() === '' || Number.isNaN(number))
    throw new InvalidArgumentError('Expected a number.');
  return number;
}

const unitLetters = ' KMGT';

/** Bytes, or a number with a unit: `4G` and `4GB` are 4 * 1000^3 bytes, `4Gi` and `4GiB` are 4 * 1024^3. */
export function toBytes(text: string): number {
  const [, number, letter = ' ', binary] =
    /^([\d.]+)\s*(?:([KMGT])(i)?)?B?$/i.exec(text.trim()) ?? [];
  if (number === undefined)
    throw new InvalidArgumentError('Expected a size such as 4GB, 4GiB or 512M.');
  const base = binary === undefined ? 1000 : 1024;
  return Math.floor(toNumber(number) * base ** unitLetters.indexOf(letter.toUpperCase()));
}

/** Numbers that are separated by commas. */
export function toNumbers(text: string): number[] {
  return text.split(',').map(toNumber);
}

/** One seed, or several that are separated by commas. */
export function toSeeds(text: string): number | number[] {
  const seeds = toNumbers(text);
  return seeds.length === 1 ? (seeds[0] as number) : seeds;
}

/** A file of an animation. */
export function animationFile(text: string): string {
  if (animationFormatOf(text) !== undefined) return text;
  throw new InvalidArgumentError(
    `Expected a file name that ends in .${animationFormats.join(' or .')}.`,
  );
}

/** Browsers show a frame for at least 20 ms. */
const maxFramesPerSecond = 50;

export function framesPerSecond(text: string): number {
  const number = toNumber(text);
  if (number >= 0.1 && number <= maxFramesPerSecond) return number;
  throw new InvalidArgumentError(`Expected a number, 0.1 to ${maxFramesPerSecond}.`);
}

export function port(text: string): number {
  const number = nonNegative(text);
  if (number < 65536) return number;
  throw new InvalidArgumentError('Expected a port, 0 to 65535.');
}

export function nonNegative(text: string): number {
  const number = Number(text);
  if (text.trim() !== '' && Number.isInteger(number) && number >= 0) return number;
  throw new InvalidArgumentError('Expected a whole number.');
}

export function positive(text: string): number {
  const number = nonNegative(text);
  if (number > 0) return number;
  throw new InvalidArgumentError('Expected a whole number above 0.');
}

/** Timers count milliseconds in 31 bits. */
const maxSeconds = 2_000_000;

export function seconds(text: string): number {
  const number = nonNegative(text);
  if (number > 0 && number <= maxSeconds) return number;
  throw new InvalidArgumentError(`Expected a whole number of seconds, 1 to ${maxSeconds}.`);
}

export function httpUrl(text: string): string {
  if (isUrl(text, ['http:', 'https:'])) return text;
  throw new InvalidArgumentError('Expected an http or https URL.');
}

export function redisUrl(text: string): string {
  if (isUrl(text, ['redis:', 'rediss:'])) return text;
  throw new InvalidArgumentError('Expected a redis:// or rediss:// URL.');
}

function isUrl(text: string, protocols: readonly string[]): boolean {
  return URL.canParse(text) && protocols.includes(new URL(text).protocol);
}

/** Colons separate the parts of keys in Redis. */
export function queueName(text: string): string {
  if (/^[\w-]{1,50}$/.test(text)) return text;
  throw new InvalidArgumentError('Expected letters, digits, - and _.');
}
