import { describe, expect, test } from 'vitest';
import { ApiError } from '../../../../lib/serve/errors.js';
import { generationSchema } from '../../../../lib/serve/protocol/request-schemas.js';
import { generationJob, variationJob } from '../../../../lib/serve/protocol/to-job.js';
import {
  checkVersion,
  eventMessage,
  InvalidMessage,
  jobMessage,
  modelMessage,
  parseJson,
  resultMessage,
  wireVersion,
} from '../../../../lib/serve/queue/bullmq/wire-format.js';
import type { Job, JobCall } from '../../../../lib/serve/queue/job.js';
import { Prng } from '../../../support/prng.js';
import { hostile } from '../../helpers/hostile-values.js';

const timings = { encode: 0, prior: 1, decoder: 2.5, upsample: 3, total: 6.5 };
const prompt = 'a secret ring';
/** A job as in its message. */
const messageOf = ({ id: _, files, ...job }: Job) => ({ ...job, files: files.length });
const job = messageOf(generationJob(generationSchema(8).parse({ prompt, n: 2, seed: 5 })));
const failure = new ApiError(503, 'storage_full', 'Redis is full', { retryAfter: 30 });

const samples = {
  job: [jobMessage, job],
  'partial image': [
    eventMessage,
    { type: 'partial_image', index: 1, partialIndex: 2, data: Buffer.from([0, 250, 3]) },
  ],
  step: [
    eventMessage,
    {
      ...{ type: 'step', stage: 'decoder', step: 3, steps: 25 },
      ...{ fraction: 0.5, secondsLeft: 1.5, index: 1 },
    },
  ],
  image: [eventMessage, { type: 'image', index: 7, seed: 12 }],
  end: [eventMessage, { type: 'ended' }],
  result: [
    resultMessage,
    { status: 'completed', seeds: [5, 6], warnings: ['long'], timings, promptTokens: 4 },
  ],
  failure: [resultMessage, { status: 'failed', error: failure.toJSON() }],
  'served model': [
    modelMessage,
    { id: 'karlo-tiny', size: 128, textToImage: true, imageVariation: false },
  ],
} as const;

// biome-ignore lint/suspicious/noExplicitAny: the kinds of messages have different types
const kinds = Object.entries(samples) as [string, readonly [any, object]][];
/** A message as the other side receives it. */
const received = (message: unknown) => JSON.parse(JSON.stringify(message));

test.each(kinds)('a %s is read as it was written', (_name, [message, body]) => {
  expect(message.read(received(message.write(body)))).toEqual(body);
});

test('a job keeps every option that a request can set', () => {
  const stage = { steps: 5, guidance_scale: 3 };
  const request = generationSchema(8).parse({
    ...{ prompt, n: 3, sampling: 'default', output_format: 'webp', output_compression: 40 },
    ...{ prior: { ...stage, candidates: 2 }, decoder: { timestep_respacing: '10,10' } },
    ...{ upsample: { steps: 2 }, candidates: 4 },
    ...{ stream: true, partial_images: 2, progress: true, priority: 'low' },
  });
  const whole = messageOf(generationJob(request));
  expect(jobMessage.read(received(jobMessage.write(whole as never)))).toEqual(whole);
  expect(whole.call.options).toMatchObject({
    ...{ decoder: { timestepRespacing: '10,10' }, prior: { candidates: 2 }, candidates: 4 },
  });
  const variation = messageOf(variationJob({ ...request, image: Buffer.alloc(1) }));
  expect(jobMessage.read(received(jobMessage.write(variation as never)))).toEqual(variation);
});

test('a job keeps its call, whatever its method', () => {
  const options = { seed: 1 };
  const calls: JobCall[] = [
    {
      method: 'mix',
      parts: [
        { prompt, weight: -0.5 },
        { image: 1, weight: 2 },
      ],
      options,
    },
    {
      ...{ method: 'interpolate', from: { prompt }, to: { image: 0 } },
      ...{ animation: { format: 'gif', framesPerSecond: 12 }, options: { seed: 1, frames: 5 } },
    },
    { method: 'edit', options: { seed: 1, from: 'red', to: 'blue', strength: 0.5 } },
    { method: 'imageToImage', prompt, options: { seed: 1, strength: 0.5 } },
    { method: 'inpaint', prompt, options: { seed: 1, feather: 2 } },
    { method: 'upscale', options },
    { method: 'finish', seeds: [3, 9], options: { seed: 3 } },
  ];
  for (const call of calls) {
    const whole = { ...job, call, files: 2 };
    expect(jobMessage.read(received(jobMessage.write(whole as never)))).toEqual(whole);
  }
});

const { call } = job;
const withOptions = (options: object) => ({ call: { ...call, options } });
const withCall = (change: object) => ({ call: { ...call, ...change } });

test.each<[string, object]>([
  ['a list of prompts', withCall({ prompt: Array(100_000).fill(prompt) })],
  ['no prompt', withCall({ prompt: undefined })],
  ['a path as image', withCall({ image: '/etc/passwd' })],
  ['a path as a file', { files: ['/etc/passwd'] }],
  ['too many files', { files: 1e9 }],
  ['too many images', withOptions({ count: 1e9, seed: 1 })],
  ['no seed', withOptions({ count: 1 })],
  ['a list of seeds', withOptions({ count: 2, seed: [1, 2] })],
  ['an option that no request has', withOptions({ count: 1, seed: 1, batchSize: 1000 })],
  ['an option of another method', withOptions({ count: 1, seed: 1, fit: 'fill' })],
  ['too many steps', withOptions({ count: 1, seed: 1, prior: { steps: 1e6 } })],
  ['two spacings', withOptions({ seed: 1, prior: { steps: 5, timestepRespacing: '5' } })],
  ['a hostile respacing', withOptions({ seed: 1, prior: { timestepRespacing: '1e9' } })],
  ['another method', withCall({ method: 'constructor' })],
  [
    'a part that is both a prompt and an image',
    { call: { method: 'mix', parts: [{ prompt, image: 0, weight: 1 }], options: { seed: 1 } } },
  ],
  ['a path as format', { format: '../../x' }],
  ['another priority', { priority: 'first' }],
])('a job with %s is neither written nor read', (_name, change) => {
  const wrong = { ...job, ...change };
  expect(() => jobMessage.write(wrong as never)).toThrow();
  expect(() => jobMessage.read(received({ version: wireVersion, body: wrong }))).toThrow(
    InvalidMessage,
  );
});

describe('an invalid message', () => {
  test('is rejected without its content in the error', () => {
    for (const text of ['secret', '{"secret":', '[]', '"secret"', '{"version":1,"secret":2}']) {
      const read = () => eventMessage.read(parseJson(text));
      expect(read).toThrow(InvalidMessage);
      expect(read).not.toThrow(/secret/);
    }
  });

  test('is rejected whatever is wrong with a part of it', () => {
    const random = new Prng(5);
    for (const [, [message, body]] of kinds) {
      const whole = received(message.write(body));
      for (const path of pathsOf(whole)) {
        for (const value of [undefined, random.pick(hostile), random.pick(hostile)]) {
          const changed = received(whole);
          setAt(changed, path, value);
          readOrReject(() => message.read(changed));
        }
        const extended = received(whole);
        const parent = path.slice(0, -1).reduce((part, key) => part[key], extended);
        if (Array.isArray(parent)) continue;
        parent.secret = 1;
        expect(() => message.read(extended)).toThrow(InvalidMessage);
      }
    }
  });

  test('may be deeply nested', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    expect(() => eventMessage.read(parseJson(deep))).toThrow(InvalidMessage);
    const body = parseJson(deep);
    expect(() => eventMessage.read({ version: wireVersion, body })).toThrow(InvalidMessage);
  });
});

/** Either the message is read, or the error is an InvalidMessage. */
function readOrReject(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidMessage);
  }
}

function pathsOf(value: unknown): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => [
    [key],
    ...pathsOf(part).map((path) => [key, ...path]),
  ]);
}

function setAt(value: Record<string, never>, path: (string | number)[], part: unknown): void {
  const parent = path.slice(0, -1).reduce((at, key) => at[key] as never, value);
  parent[path.at(-1) as string] = part as never;
}

test('a message of another version is refused, and the error names both versions', () => {
  const other = { ...jobMessage.write(job as never), version: wireVersion + 1 };
  expect(() => jobMessage.read(other)).toThrow(InvalidMessage);
  expect(() => checkVersion(other)).toThrow(
    expect.objectContaining({
      status: 503,
      code: 'version_mismatch',
      retryAfter: 30,
      message: `Expected messages of version ${wireVersion} in the queue but received version ${wireVersion + 1}: run the same release of karlo on all its servers and workers`,
    }),
  );
  for (const valid of [jobMessage.write(job as never), null, 'x', { version: '2' }]) {
    expect(() => checkVersion(valid)).not.toThrow();
  }
});
