import type { z } from 'zod';
import { describe } from '../../errors.js';
import { type ApiError, badRequest } from '../errors.js';

/** Fastify's validator for zod schemas. The first issue becomes a 400 that names the field. */
export function validatorCompiler({ schema }: { schema: z.ZodType }) {
  return (data: unknown) => {
    const result = schema.safeParse(data);
    return result.success ? { value: result.data } : { error: toApiError(result.error, data) };
  };
}

/**
 * Parses data with a schema that may be asynchronous.
 * @throws {ApiError} 400 that names the field
 */
export async function parse<Schema extends z.ZodType>(
  schema: Schema,
  data: unknown,
): Promise<z.output<Schema>> {
  const result = await schema.safeParseAsync(data);
  if (!result.success) throw toApiError(result.error, data);
  return result.data;
}

function toApiError({ issues }: z.ZodError, data: unknown): ApiError {
  const [issue] = issues;
  if (issue === undefined) return badRequest(undefined, 'Expected a valid request');
  if (issue.code === 'unrecognized_keys') {
    const param = fieldName([...issue.path, issue.keys[0] ?? '']);
    const isTopLevel = issue.path.length === 0;
    const fix = isTopLevel ? '. To ignore it, start the server with --unknown-fields warn' : '';
    return badRequest(param, `Unknown parameter '${param}'${fix}`, 'unknown_parameter');
  }
  const param = fieldName(issue.path);
  const value = valueAt(data, issue.path);
  const subject = issue.path.length === 0 ? 'the request' : `'${param}'`;
  const code = value === undefined ? 'missing_required_parameter' : 'invalid_value';
  const received = value === undefined ? 'none' : describe(value);
  const message = `Expected ${expectation(issue)} for ${subject} but received ${received}`;
  return badRequest(param === '' ? undefined : param, message, code);
}

/** What an issue expects, without the words that zod puts around it. */
function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return types[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return `one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `at least ${limit(issue.minimum, issue.origin)}`;
    case 'too_big':
      return `at most ${limit(issue.maximum, issue.origin)}`;
    case 'invalid_union':
      return expectationOfUnion(issue);
    default:
      return issue.message.replace(/^(.*: )?expected /i, '');
  }
}

/** That of the alternative which came closest: its type is right, and its own check failed. */
function expectationOfUnion({ errors }: z.core.$ZodIssueInvalidUnion): string {
  const issues = errors.flat();
  const closest = issues.find(({ code }) => code === 'custom') ?? issues[0];
  return closest === undefined ? 'another value' : expectation(closest);
}

const types: Readonly<Record<string, string>> = {
  int: 'an integer',
  number: 'a number',
  string: 'a string',
  boolean: 'a boolean',
  object: 'an object',
  array: 'an array',
};

function limit(value: number | bigint, origin: string): string {
  if (origin !== 'string') return String(value);
  return `${value} character${Number(value) === 1 ? '' : 's'}`;
}

function fieldName(path: readonly PropertyKey[]): string {
  const name = path.map(String).join('.');
  return name.length > 100 ? `${name.slice(0, 100)}…` : name;
}

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Record<PropertyKey, unknown>)[key]
        : undefined,
    data,
  );
}
