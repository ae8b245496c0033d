import type { CallToolResult, Tool as ToolDescription } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { STAGES } from '../../options/descriptions.js';
import { unavailable } from '../errors.js';
import { acceptedFormats } from '../protocol/input-image.js';
import { type ModelLimits, toModelResponse } from '../protocol/model-response.js';
import {
  editSchema,
  fromDataUrl,
  generationSchema,
  interpolationSchema,
  mixSchema,
  type SharedRequest,
  upscalingSchema,
  variationSchema,
  withoutEffect,
} from '../protocol/request-schemas.js';
import {
  editJob,
  generationJob,
  interpolationJob,
  mixJob,
  upscalingJob,
  variationJob,
} from '../protocol/to-job.js';
import { parse } from '../protocol/validation.js';
import type { Job } from '../queue/job.js';
import { isResultName, type ResultStore } from '../results/store.js';
import { jsonSchemaOf } from './json-schema.js';
import { runJob, type ToolCall } from './run-job.js';

/** A tool of the Model Context Protocol. */
export interface Tool {
  readonly description: ToolDescription;
  /** @throws {ApiError} 400 for wrong arguments, and the errors of a request of the HTTP API */
  readonly call: (args: unknown, call: ToolCall) => Promise<CallToolResult>;
}

/** An image in the arguments of a tool: its bytes, or the name of an image of an earlier call. */
function imageSchema(results: ResultStore) {
  return z
    .string()
    .transform(async (text, context) => {
      const bytes = isResultName(text) ? await results.get(text) : fromBase64(text);
      if (bytes !== undefined) return bytes;
      const message =
        'expected an image as base64, as a data URL such as data:image/png;base64,…, or the name of an image that an earlier call returned and that is still stored,';
      context.issues.push({ code: 'custom', message, input: '' });
      return z.NEVER;
    })
    .describe(
      `${acceptedFormats}, as base64 or as a data URL, or the name of an image of an earlier call.`,
    );
}

function fromBase64(text: string): Buffer | undefined {
  return fromDataUrl(text.startsWith('data:') ? text : `data:image/png;base64,${text}`);
}

/** Fields of requests that no tool has. Results are PNG files, and progress is always reported. */
const fixedFields = {
  size: 'auto',
  response_format: 'b64_json',
  output_format: 'png',
  stream: true,
  partial_images: 0,
  progress: true,
  priority: 'normal',
} as const satisfies Partial<SharedRequest>;

/** Those and others that would only make the descriptions of the tools longer, which a language model reads. */
const omittedFields = [
  ...Object.keys(fixedFields),
  ...['model', 'user', 'quality', 'output_compression', 'images', 'stop_after'],
  ...STAGES,
  ...withoutEffect,
];

/** @param results the images of earlier calls */
export function createTools(limits: ModelLimits, results: ResultStore): ReadonlyMap<string, Tool> {
  const { maxN } = limits;
  const image = imageSchema(results);
  const tools = [
    imageTool(
      ['generate', 'Generate images', 'Generate images from a prompt.'],
      generationSchema(maxN),
      generationJob,
    ),
    imageTool(
      ['vary', 'Vary an image', 'Generate variations of an image.'],
      variationSchema(maxN, image),
      variationJob,
    ),
    imageTool(
      [
        'edit',
        'Edit an image',
        'Edit an image: by two texts, from (what it shows) and to (what it should show instead); with mask and prompt, by repainting a part; with prompt and strength, by generating from it.',
      ],
      editSchema(maxN, image).extend({ image: image.transform((one) => [one]) }),
      editJob,
    ),
    imageTool(
      [
        'mix',
        'Mix prompts and images',
        'Generate images of a weighted mean of prompts and images.',
      ],
      mixSchema(maxN, image),
      mixJob,
    ),
    imageTool(
      [
        'interpolate',
        'Interpolate between two images',
        'Generate the images between two prompts or images, and an animation of them.',
      ],
      interpolationSchema(maxN, image),
      interpolationJob,
    ),
    imageTool(
      ['upscale', 'Upscale an image', 'Enlarge an image to the size of the model.'],
      upscalingSchema(maxN, image),
      upscalingJob,
    ),
    modelTool(limits),
  ];
  return new Map(tools.map((tool) => [tool.description.name, tool]));
}

/** Name, title and description. */
type Texts = readonly [string, string, string];

/** A tool that generates images. */
function imageTool<Schema extends z.ZodObject>(
  texts: Texts,
  { shape }: Schema,
  toJob: (request: z.output<Schema>) => Job,
): Tool {
  const fields = Object.entries(shape).filter(([name]) => !omittedFields.includes(name));
  const schema = z.strictObject(Object.fromEntries(fields));
  return {
    description: describe(texts, schema),
    async call(args, call) {
      const fields: object = { ...(await parse(schema, args)), ...fixedFields };
      const request = fields as SharedRequest & z.output<Schema>;
      return runJob(toJob(request), request, call);
    },
  };
}

/** The tool that describes the model. */
function modelTool(limits: ModelLimits): Tool {
  const schema = z.strictObject({});
  const text = 'Get the name, image size, tasks and presets of the model.';
  return {
    description: describe(['describe_model', 'Describe the model', text], schema),
    async call(args, { backend }) {
      await parse(schema, args);
      const model = await backend.model();
      if (model === undefined) throw unavailable('No worker is serving a model');
      const { id, karlo } = toModelResponse(model, limits);
      return { content: [{ type: 'text', text: JSON.stringify({ model: id, ...karlo }) }] };
    },
  };
}

function describe([name, title, description]: Texts, schema: z.ZodObject): ToolDescription {
  const inputSchema = jsonSchemaOf(schema) as ToolDescription['inputSchema'];
  const annotations = { readOnlyHint: true, openWorldHint: false };
  return { name, title, description, inputSchema, annotations };
}
