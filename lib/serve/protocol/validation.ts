import type { z } from 'zod';
import { describe } from '../../errors.js';
import { type ApiError, invalid } from './api-error.js';

/** Fastify's validator over zod: what is wrong becomes an error in OpenAI's shape. */
export function validatorCompiler({ schema }: { schema: z.ZodType }) {
  return (data: unknown) => {
    const result = schema.safeParse(data);
    return result.success ? { value: result.data } : { error: refusal(result.error, data) };
  };
}

function refusal({ issues }: z.ZodError, data: unknown): ApiError {
  const [issue] = issues;
  if (issue === undefined) return invalid(undefined, 'Expected a valid request');
  if (issue.code === 'unrecognized_keys') {
    const param = nameOf([...issue.path, issue.keys[0] ?? '']);
    return invalid(param, `Unknown parameter '${param}'`, 'unknown_parameter');
  }
  const param = nameOf(issue.path);
  const received = describe(valueAt(data, issue.path));
  const what = issue.path.length === 0 ? 'the request' : `'${param}'`;
  const code = received === 'undefined' ? 'missing_required_parameter' : 'invalid_value';
  const message = `Invalid value for ${what}: ${issue.message} but received ${received}`;
  return invalid(param === '' ? undefined : param, message, code);
}

function nameOf(path: readonly PropertyKey[]): string {
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
