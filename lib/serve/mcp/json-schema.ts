import { z } from 'zod';

type Json = z.core.JSONSchema.BaseSchema;

/** The JSON Schema of a tool's arguments. */
export function jsonSchemaOf(schema: z.ZodObject): object {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io: 'input' });
  return JSON.parse(JSON.stringify(json), (_name, value) => withoutNull(value));
}

/** Leaves out null, which counts as absent: not every client can pass on a choice of types. */
function withoutNull(value: Json | null): Json | null {
  if (!Array.isArray(value?.anyOf)) return value;
  const { anyOf, ...rest } = value;
  const others = (anyOf as Json[]).filter(({ type }) => type !== 'null');
  return others.length === 1 ? { ...others[0], ...rest } : { ...rest, anyOf: others };
}
