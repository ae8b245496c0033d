// The options as fields of an HTTP request, of a queued job and of a recipe. zod takes 60 to 100 ms to import: only the
// server and what parses recipes import this module.
import { z } from 'zod';
import { splitCase } from '../util/case.js';
import {
  type OptionDescription,
  type OptionTable,
  optionsOfStage,
  type StageOption,
  sentence,
  stageOptions,
  type TextOption,
} from './descriptions.js';
import { spacingFault } from './respacing.js';

/** The maximum length of texts without a specific limit. */
const maxLength = 1000;

type ValueOption = Exclude<OptionDescription, StageOption>;
type Fields = Readonly<Record<string, unknown>>;

/** The options of a table that a request can have: the name in a program, the field, the description. */
function requestOptions(table: OptionTable) {
  return Object.entries(table).flatMap(([name, option]) => {
    const { kind, http: field = splitCase(name, '_') } = option;
    const isForPrograms = kind === 'signal' || kind === 'callback';
    return field === false || isForPrograms ? [] : [{ name, field, option }];
  });
}

/** The names of the fields of a request for the options of a table. */
export function requestFieldNames(table: OptionTable): string[] {
  return requestOptions(table).map(({ field }) => field);
}

/** The fields of a request for the options of a table. Their types are lost: see {@link optionsOfRequest}. */
export function requestFields(table: OptionTable): Record<never, z.ZodType> {
  const fields = requestOptions(table).map(({ field, option }) => [field, requestField(option)]);
  return Object.fromEntries(fields);
}

/**
 * The fields of the object that a program passes for the same options. None is required, and their types are lost, as
 * those of `requestFields` are.
 */
export function programFields(table: OptionTable): Record<never, z.ZodType> {
  const fields = requestOptions(table).map(({ name, option }) => {
    const schema = option.kind === 'stage' ? stageSchema(option, 'name') : requestValue(option);
    return [name, schema.optional()];
  });
  return Object.fromEntries(fields);
}

function requestField(option: OptionDescription): z.ZodType {
  const description = sentence(option.description);
  if (option.kind === 'stage') return optional(stageSchema(option, 'field')).describe(description);
  const schema = requestValue(option);
  return 'default' in option && option.default !== undefined
    ? withDefault(schema, option.default, description)
    : optional(schema).describe(description);
}

/** @param key whether its keys are fields of a request, or names in a program */
function stageSchema(stage: StageOption, key: 'field' | 'name'): z.ZodType {
  const fields = requestOptions(optionsOfStage(stage)).map(({ [key]: name, option }) => {
    const schema = requestValue(option as ValueOption).describe(sentence(option.description));
    return [name, schema.optional()];
  });
  return z.strictObject(Object.fromEntries(fields)).refine(hasOneSpacing, {
    message: 'expected either steps or timestep_respacing, not both,',
  });
}

function hasOneSpacing({ steps, timestep_respacing, timestepRespacing }: Fields): boolean {
  return steps === undefined || (timestep_respacing ?? timestepRespacing) === undefined;
}

function requestValue(option: ValueOption): z.ZodType {
  if (option.kind === 'text') return textSchema(option).max(option.maxLength ?? maxLength);
  if (option.kind !== 'respacing') return valueSchema(option);
  return z
    .string()
    .max(option.maxLength ?? maxLength)
    .superRefine((timestepRespacing, context) => {
      const fault = spacingFault({ timestepRespacing }, stageOptions.steps.range[1]);
      if (fault !== undefined) context.addIssue({ code: 'custom', message: `expected ${fault}` });
    });
}

/** An optional field; null counts as absent, because OpenAI's clients may send it. */
export function optional<T extends z.ZodType>(schema: T) {
  return schema.nullish().transform((value) => value ?? undefined);
}

/** A field with a default; null counts as absent. */
export function withDefault<T extends z.ZodType>(
  schema: T,
  absent: z.output<T>,
  description: string,
) {
  const nullable = schema.nullish().meta({ default: absent, description });
  return nullable.transform((value): z.output<T> => value ?? absent);
}

/** The options that a parsed request sets, as a program would pass them. */
export function optionsOfRequest(table: OptionTable, request: object): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const { name, field, option } of requestOptions(table)) {
    const value = (request as Fields)[field];
    if (value === undefined) continue;
    options[name] =
      option.kind === 'stage' ? optionsOfRequest(optionsOfStage(option), value as object) : value;
  }
  return options;
}

/** The fields of a request for options as a program passes them: the reverse of {@link optionsOfRequest}. */
export function requestOfOptions(table: OptionTable, options: object): Record<string, unknown> {
  const request: Record<string, unknown> = {};
  for (const { name, field, option } of requestOptions(table)) {
    const value = (options as Fields)[name];
    if (value === undefined) continue;
    request[field] =
      option.kind === 'stage' ? requestOfOptions(optionsOfStage(option), value as object) : value;
  }
  return request;
}

/** The fields of a recipe for the options of a table. */
export function recipeFields(table: OptionTable): Record<never, z.ZodType> {
  const recorded = Object.entries(table).filter(([, { recipe }]) => recipe !== undefined);
  const fields = recorded.map(([name, option]) => {
    const schema = option.kind === 'stage' ? recordedStage : valueSchema(option);
    return [name, option.recipe === 'optional' ? schema.optional() : schema];
  });
  return Object.fromEntries(fields);
}

const { steps, timestepRespacing: _, ...others } = stageOptions;
const recordedStage = z.union([
  z.object({ steps: valueSchema(steps), ...recipeFields(others) }),
  z.object({ timestepRespacing: z.string().max(maxLength), ...recipeFields(others) }),
]);

/** A value that a request or a recipe can hold; of seeds, a single one. */
export function valueSchema(option: ValueOption): z.ZodType {
  switch (option.kind) {
    case 'integer':
    case 'seeds':
      return z.int().min(option.range[0]).max(option.range[1]);
    case 'number':
      return z.number().min(option.range[0]).max(option.range[1]);
    case 'interval':
      return intervalSchema(option.range);
    case 'choice':
      return z.enum(option.choices);
    case 'boolean':
      return z.boolean();
    case 'text':
      return textSchema(option);
    default:
      return z.string();
  }
}

function textSchema({ pattern, patternLabel }: Pick<TextOption, 'pattern' | 'patternLabel'>) {
  return pattern ? z.string().regex(pattern, `expected ${patternLabel}`) : z.string();
}

/** An array, because the JSON Schema of a tuple is not that of every version of OpenAPI. */
function intervalSchema([min, max]: readonly [number, number]): z.ZodType {
  return z
    .array(z.number().min(min).max(max))
    .length(2)
    .refine(([start = 0, end = 0]) => start <= end, 'expected a start that is not above the end');
}
