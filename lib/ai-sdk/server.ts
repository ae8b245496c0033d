import { z } from 'zod';
import { readRecipe } from '../images/read-recipe.js';
import { requestOfOptions } from '../options/schema.js';
import { seedOfImage } from '../options/seeds.js';
import { AsyncLazy } from '../util/async-lazy.js';
import type { Connection } from './connection.js';
import type { Generate, ImageResult, OutputImage } from './model.js';
import type { ImageRequest, InputFile } from './request.js';
import type { CallWarning } from './types.js';

const seconds = z.number();

/** The part of a response that is read. */
const imagesSchema = z.object({
  data: z.array(z.object({ b64_json: z.string(), seed: z.number() })),
  usage: z.object({
    input_tokens: z.number(),
    output_tokens: z.number(),
    total_tokens: z.number(),
  }),
  karlo: z.object({
    model: z.string(),
    warnings: z.array(z.string()),
    timings: z.object({
      encode: seconds,
      prior: seconds,
      decoder: seconds,
      upsample: seconds,
      total: seconds,
    }),
  }),
});

type Images = z.output<typeof imagesSchema>;

const modelsSchema = z.object({
  data: z.tuple([z.object({ karlo: z.object({ max_n: z.number() }) })]).rest(z.unknown()),
});

/** Generates images on a server. */
export function serverGenerate(connection: Connection, model: string): Generate {
  const limit = new AsyncLazy<number>();
  return async (request) => {
    const largest = request.count === 1 ? 1 : await limit.get(() => maxCount(connection, request));
    const results: ImageResult[] = [];
    for (const part of partsOf(request, largest)) {
      results.push(await generatePart(connection, model, part));
    }
    return merge(results);
  };
}

/** The number of images that the server generates in one request. */
async function maxCount(connection: Connection, request: ImageRequest): Promise<number> {
  const { signal, headers } = request;
  const { body } = await connection.send({ path: 'models', schema: modelsSchema, signal, headers });
  return body.data[0].karlo.max_n;
}

/** Splits a request for more images than the server generates in one. The seeds continue from part to part. */
function partsOf(request: ImageRequest, largest: number): ImageRequest[] {
  const { count, seed } = request;
  return Array.from({ length: Math.ceil(count / largest) }, (_, i) => ({
    ...request,
    count: Math.min(largest, count - i * largest),
    seed: seed === undefined ? undefined : seedOfImage(seed, i * largest),
  }));
}

async function generatePart(
  connection: Connection,
  model: string,
  request: ImageRequest,
): Promise<ImageResult> {
  const { method, signal, headers } = request;
  const path = method === 'textToImage' ? 'images/generations' : 'images/edits';
  const body = { model, ...fieldsOf(request) };
  const response = await connection.send({ path, body, schema: imagesSchema, signal, headers });
  return toResult(response.body, request, response.headers);
}

function fieldsOf(request: ImageRequest) {
  const { table, options, prompt, count, seed, size, images, mask, format, quality } = request;
  const [image, ...others] = images.map(toDataUrl);
  return {
    ...requestOfOptions(table, options),
    ...{ prompt, n: count, seed, size },
    image: others.length === 0 ? image : [image, ...others],
    mask: mask && toDataUrl(mask),
    response_format: 'b64_json',
    output_format: format,
    output_compression: quality,
  };
}

function toDataUrl({ bytes, mediaType }: InputFile): string {
  return `data:${mediaType};base64,${Buffer.from(bytes).toString('base64')}`;
}

async function toResult(
  { data, usage, karlo }: Images,
  request: ImageRequest,
  headers: Record<string, string>,
): Promise<ImageResult> {
  const warnings = karlo.warnings.map((message): CallWarning => ({ type: 'other', message }));
  return {
    images: await Promise.all(data.map((image) => toImage(image, karlo))),
    warnings: [...checkOptions(request), ...warnings],
    model: karlo.model,
    usage: {
      inputTokens: usage.input_tokens,
      outputTokens: usage.output_tokens,
      totalTokens: usage.total_tokens,
    },
    headers,
  };
}

async function toImage(
  { b64_json, seed }: Images['data'][number],
  { timings }: Images['karlo'],
): Promise<OutputImage> {
  const data = Buffer.from(b64_json, 'base64');
  return { data, seed, timings, recipe: await readRecipe(data) };
}

/** Warns about options that requests do not have. */
function checkOptions({ table, options }: ImageRequest): CallWarning[] {
  const names = Object.keys(options).filter((name) => table[name]?.http === false);
  return names.map((name) => ({
    type: 'unsupported',
    feature: `providerOptions.karlo.${name}`,
    details: 'Only models in the same process have this option',
  }));
}

function merge(results: readonly ImageResult[]): ImageResult {
  const [first] = results as [ImageResult];
  const sum = (name: keyof ImageResult['usage']) =>
    results.reduce((total, { usage }) => total + (usage[name] ?? 0), 0);
  return {
    ...first,
    images: results.flatMap(({ images }) => images),
    usage: {
      inputTokens: sum('inputTokens'),
      outputTokens: sum('outputTokens'),
      totalTokens: sum('totalTokens'),
    },
  };
}
