import { expected, invalidArgument, type KarloError } from '../errors.js';
import { cut, didYouMean, nearest } from './suggest.js';

/** Names an option in messages: `decoder.steps` in a program, `--decoder-steps` on the command line. */
export type OptionLabeler = (option: string) => string;

/** Names options as in a program. */
export function identityLabel(option: string): string {
  return option;
}

/** An option with a value, as a user would write it: `dtype: 'bfloat16'`, or `--dtype bfloat16`. */
export function labelSetting(label: OptionLabeler, option: string, value: string): string {
  const name = label(option);
  return name.startsWith('--') ? `${name} ${value}` : `${name}: '${value}'`;
}

/** A start and an end. */
export type Interval = readonly [number, number];

/** Options as the caller passed them: only their names are checked. */
export type RawOptions = Readonly<Record<string, unknown>>;

/** Where options are. */
export interface Scope {
  /** '' at the top, or the name of the option that holds them: 'decoder'. */
  readonly path: string;
  readonly label: OptionLabeler;
}

/** The full name of an option, for messages. */
export function labelOf({ path, label }: Scope, option: string): string {
  return label(path === '' ? option : `${path}.${option}`);
}

/** An integer within a range, or the default if it is undefined. */
export function integer<D>(
  value: unknown,
  [min, max]: readonly [number, number],
  name: string,
  absent: D,
): number | D {
  if (value === undefined) return absent;
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max)
    return value;
  throw expected(`integer between ${min} and ${max}`, name, value);
}

/** A number within a range, or the default if it is undefined. */
export function number<D>(
  value: unknown,
  [min, max]: readonly [number, number],
  name: string,
  absent: D,
): number | D {
  if (value === undefined) return absent;
  if (typeof value === 'number' && value >= min && value <= max) return value;
  throw expected(`number between ${min} and ${max}`, name, value);
}

/** A start and an end within a range. */
export function interval(
  value: unknown,
  range: Interval,
  name: string,
  absent: Interval,
): Interval {
  if (value === undefined) return absent;
  if (!isNumberPair(value)) throw expected('array of two numbers', name, value);
  const [start, end] = value;
  if (start > end)
    throw unexpectedPair('start that is not above the end', name, value, [end, start]);
  if (start >= range[0] && end <= range[1]) return value;
  throw unexpectedPair(`start and end between ${range.join(' and ')}`, name, value);
}

function isNumberPair(value: unknown): value is Interval {
  const isNumber = (one: unknown) => typeof one === 'number' && !Number.isNaN(one);
  return Array.isArray(value) && value.length === 2 && value.every(isNumber);
}

function unexpectedPair(what: string, name: string, pair: Interval, meant?: Interval): KarloError {
  const hint = meant === undefined ? '' : `: did you mean [${meant.join(', ')}]?`;
  const message = `Expected ${what} for ${name} but received [${pair.join(', ')}]${hint}`;
  return invalidArgument(message, { argument: name });
}

export function boolean<D>(value: unknown, name: string, absent: D): boolean | D {
  if (value === undefined) return absent;
  if (typeof value === 'boolean') return value;
  throw expected('boolean', name, value);
}

/** One of several words, or the default if it is undefined. */
export function oneOf<T extends string, D>(
  value: unknown,
  words: readonly T[],
  name: string,
  absent: D,
): T | D {
  if (value === undefined) return absent;
  const found = words.find((word) => word === value);
  if (found !== undefined) return found;
  throw expected(`one of ${words.join(', ')}`, name, value, didYouMean(value, words));
}

/** A text that a text has to match, and the same in words. */
interface TextPattern {
  readonly pattern?: RegExp;
  readonly patternLabel?: string;
}

export function text<D>(
  value: unknown,
  name: string,
  absent: D,
  { pattern, patternLabel = 'string' }: TextPattern = {},
): string | D {
  if (value === undefined) return absent;
  if (typeof value === 'string' && (pattern?.test(value) ?? true)) return value;
  throw expected(patternLabel, name, value);
}

export function bytes(value: unknown, name: string): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return value;
  throw expected('number of bytes above 0', name, value);
}

export function signal(value: unknown, name: string): AbortSignal | undefined {
  if (value === undefined) return undefined;
  const like = typeof value === 'object' && value !== null ? (value as Partial<AbortSignal>) : {};
  if (typeof like.aborted === 'boolean' && typeof like.addEventListener === 'function')
    return value as AbortSignal;
  throw expected('AbortSignal', name, value);
}

export function callback(value: unknown, name: string): unknown {
  if (value === undefined || typeof value === 'function') return value;
  throw expected('function', name, value);
}

/** @param loads whether it can also be the name or the folder of a safety checker */
export function check(value: unknown, name: string, loads: boolean): unknown {
  const hasCheck = typeof (value as { check?: unknown } | null | undefined)?.check === 'function';
  if (value === undefined || typeof value === 'function' || hasCheck) return value;
  if (loads && typeof value === 'string' && value !== '') return value;
  const what = `SafetyChecker${loads ? ', its name or folder,' : ''} or function`;
  throw expected(what, name, value);
}

/** An object that is not an array. */
export function object<T>(value: T, name: string): T & object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw expected('object', name, value);
}

/**
 * Checks that options are an object without unknown names; `{}` if they are undefined.
 *
 * @param elsewhere names of options in other places (`decoder.steps`) that may have been meant
 */
export function knownOptions(
  value: unknown,
  known: readonly string[],
  name: string,
  scope: Scope = { path: '', label: identityLabel },
  elsewhere: readonly string[] = [],
): RawOptions {
  if (value === undefined) return {};
  for (const option of Object.keys(object(value, name)))
    if (!known.includes(option)) throw unknownOption(option, known, elsewhere, scope);
  return value as RawOptions;
}

function unknownOption(
  option: string,
  known: readonly string[],
  elsewhere: readonly string[],
  scope: Scope,
): KarloError {
  const near = nearest(option, [...known, ...elsewhere]);
  const all = known.map((one) => labelOf(scope, one)).join(', ');
  const hint = near === undefined ? `known are ${all}` : `did you mean ${labelOf(scope, near)}?`;
  const message = `Unknown option ${labelOf(scope, cut(option))}: ${hint}`;
  return invalidArgument(message);
}
