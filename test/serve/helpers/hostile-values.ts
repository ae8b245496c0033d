import type { Prng } from '../../support/prng.js';

/** The parts of JSON Schema that the OpenAPI document uses. */
export interface Schema {
  type?: string | string[];
  anyOf?: Schema[];
  enum?: unknown[];
  properties?: Record<string, Schema>;
  minimum?: number;
  maximum?: number;
}

/** Values that no field should accept, or that must not do any harm. */
export const hostile: readonly unknown[] = [
  null,
  true,
  '',
  '0',
  '\u0000',
  '\ud800',
  '../../../etc/passwd',
  'file:///etc/passwd',
  'https://example.org/',
  "'; DROP TABLE pictures; --",
  '{{7*7}}',
  '\u202e\u0301'.repeat(500),
  'x'.repeat(40_000),
  -1,
  0.5,
  -0,
  1e308,
  2 ** 53,
  Number.MIN_VALUE,
  [],
  [[[[[[[[]]]]]]]],
  {},
  { toString: 1, constructor: { prototype: { polluted: true } } },
  { length: -1 },
];

const deep = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`);

/** A value for a schema: at its bounds, just beyond them, or of a different type. */
export function valueFor(schema: Schema, random: Prng): unknown {
  if (random.below(5) === 0) return random.below(20) === 0 ? deep(2000) : random.pick(hostile);
  const one = schema.anyOf ? random.pick(schema.anyOf) : schema;
  if (one.enum) return random.pick(one.enum);
  const type = Array.isArray(one.type) ? random.pick(one.type) : one.type;
  if (type === 'integer' || type === 'number') return numberFor(one, random);
  if (type === 'boolean') return random.below(2) === 0;
  if (type === 'object') return objectFor(one, random);
  return type === 'null' ? null : random.pick(['auto', '25', 'ddim2', '1,1', 'a ring', '128x128']);
}

/** Of the allowed values only the smallest, so that no request takes a thousand steps. */
function numberFor({ minimum = 0, maximum = 1 }: Schema, random: Prng): number {
  return random.pick([minimum, minimum, minimum + 1, minimum - 1, maximum + 1, minimum + 0.5]);
}

/** Some of the properties, and occasionally an unknown one. */
export function objectFor({ properties = {} }: Schema, random: Prng): Record<string, unknown> {
  const names = Object.keys(properties).filter(() => random.below(5) === 0);
  const entries = names.map((name) => [name, valueFor(properties[name] as Schema, random)]);
  if (random.below(8) === 0) entries.push([random.pick(unknownNames), random.pick(hostile)]);
  return Object.fromEntries(entries);
}

const unknownNames = ['__proto__', 'constructor', 'toString', 'image_url', '', 'a.b', '\u0000'];
