import { expected, KarloError } from '../errors.js';

/** How a message names an option: `decoder.steps` in a program, perhaps `--decoder-steps` elsewhere. */
export type Naming = (option: string) => string;

/** As in a program. */
export function asWritten(option: string): string {
  return option;
}

/** An options object, known to hold nothing but `known` names. */
export type Bag = Readonly<Record<string, unknown>>;

export interface Scope {
  /** Where the options stand: '' or 'decoder'. */
  readonly path: string;
  readonly naming: Naming;
}

/** An option's full name, as the user would write it. */
export function named({ path, naming }: Scope, option: string): string {
  return naming(path === '' ? option : `${path}.${option}`);
}

/** A whole number within bounds, or the default where the option is absent. */
export function integer<D>(
  value: unknown,
  [least, most]: readonly [number, number],
  name: string,
  absent: D,
): number | D {
  if (value === undefined) return absent;
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most)
    return value;
  throw expected(`integer between ${least} and ${most}`, name, value);
}

/** A number within bounds, or the default where the option is absent. */
export function number<D>(
  value: unknown,
  [least, most]: readonly [number, number],
  name: string,
  absent: D,
): number | D {
  if (value === undefined) return absent;
  if (typeof value === 'number' && value >= least && value <= most) return value;
  throw expected(`number between ${least} and ${most}`, name, value);
}

export function boolean(value: unknown, name: string, absent: boolean): boolean {
  if (value === undefined) return absent;
  if (typeof value === 'boolean') return value;
  throw expected('boolean', name, value);
}

/** One of a few words, or the default where the option is absent. */
export function oneOf<T extends string, D>(
  value: unknown,
  words: readonly T[],
  name: string,
  absent: D,
): T | D {
  if (value === undefined) return absent;
  const found = words.find((word) => word === value);
  if (found !== undefined) return found;
  throw expected(`one of ${words.join(', ')}`, name, value);
}

export function signal(value: unknown, name: string): AbortSignal | undefined {
  if (value === undefined) return undefined;
  const like = typeof value === 'object' && value !== null ? (value as Partial<AbortSignal>) : {};
  if (typeof like.aborted === 'boolean' && typeof like.addEventListener === 'function')
    return value as AbortSignal;
  throw expected('AbortSignal', name, value);
}

/** An object, and no array. */
export function object<T>(value: T, name: string): T & object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw expected('object', name, value);
}

/**
 * An object of options, none of them unknown; `{}` where it is absent.
 *
 * @param further names that stand elsewhere (`decoder.steps`), which a user may have had in mind
 */
export function bag(
  value: unknown,
  known: readonly string[],
  name: string,
  scope: Scope = { path: '', naming: asWritten },
  further: readonly string[] = [],
): Bag {
  if (value === undefined) return {};
  for (const option of Object.keys(object(value, name)))
    if (!known.includes(option)) refuse(option, known, further, scope);
  return value as Bag;
}

function refuse(
  option: string,
  known: readonly string[],
  further: readonly string[],
  scope: Scope,
): never {
  const near = nearest(option, [...known, ...further]);
  const all = known.map((one) => named(scope, one)).join(', ');
  const hint = near === undefined ? `known are ${all}` : `did you mean ${named(scope, near)}?`;
  const message = `Unknown option ${named(scope, cut(option))}: ${hint}`;
  throw new KarloError('ERR_KARLO_INVALID_ARGUMENT', message);
}

/** What users of diffusers and of the original program write, and what it is called here. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  n: 'count',
  numimages: 'count',
  numimagesperprompt: 'count',
  bsz: 'batchsize',
  maxbsz: 'batchsize',
  generator: 'seed',
  samplingtype: 'sampling',
  numinferencesteps: 'steps',
  cfgscale: 'guidancescale',
  cfscale: 'guidancescale',
  upscale: 'upsample',
  superres: 'upsample',
  sr: 'upsample',
  superresnuminferencesteps: 'upsample.steps',
  priornuminferencesteps: 'prior.steps',
  decodernuminferencesteps: 'decoder.steps',
};

/** The known name that was most likely meant; undefined where none is close. */
export function nearest(option: string, known: readonly string[]): string | undefined {
  const written = simple(option);
  const meant = simple(Object.hasOwn(ELSEWHERE, written) ? (ELSEWHERE[written] ?? '') : written);
  const tail = (name: string) => simple(name.slice(name.lastIndexOf('.') + 1));
  const distance = (name: string) => Math.min(edits(meant, simple(name)), edits(meant, tail(name)));
  const scored = known.map((name) => [distance(name), name] as const);
  const [best] = scored.sort(([a], [b]) => a - b);
  return best !== undefined && best[0] <= Math.max(1, meant.length / 3) ? best[1] : undefined;
}

/** Without case and separators: `guidance_scale` is a spelling of `guidanceScale`. */
function simple(name: string): string {
  return cut(name)
    .toLowerCase()
    .replace(/[-_.\s]/g, '');
}

function cut(name: string): string {
  return name.length > 40 ? `${name.slice(0, 40)}…` : name;
}

/** Insertions, deletions, substitutions and swaps of neighbours (Damerau 1964), row by row. */
function edits(a: string, b: string): number {
  let [before, row]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const other = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped =
        a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before[j - 2] ?? 0) + 1 : other;
      next[j] = Math.min(other, swapped, (row[j] as number) + 1, (next[j - 1] as number) + 1);
    }
    [before, row] = [row, next];
  }
  return row[b.length] as number;
}
