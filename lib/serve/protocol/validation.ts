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

function toApiError({ issues }: z.ZodError, data: unknown): ApiError {
  const [issue] = issues;
  if (issue === undefined) return badRequest(undefined, 'Expected a valid request');
  if (issue.code === 'unrecognized_keys') {
    const param = fieldName([...issue.path, issue.keys[0] ?? '']);
    return badRequest(param, `Unknown parameter '${param}'`, 'unknown_parameter');
  }
  const param = fieldName(issue.path);
  const received = describe(valueAt(data, issue.path));
  const subject = issue.path.length === 0 ? 'the request' : `'${param}'`;
  const code = received === 'undefined' ? 'missing_required_parameter' : 'invalid_value';
  const message = `Invalid value for ${subject}: ${issue.message} but received ${received}`;
  return badRequest(param === '' ? undefined : param, message, code);
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
