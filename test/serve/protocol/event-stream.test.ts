import { describe, expect, test } from 'vitest';
import { ApiError } from '../../../lib/serve/errors.js';
import { toEventStream, withHeartbeat } from '../../../lib/serve/protocol/event-stream.js';
import type { ResponseContext } from '../../../lib/serve/protocol/response.js';
import type { JobEvent } from '../../../lib/serve/queue/job.js';

interface Options {
  count: number;
  progress?: boolean;
}

function contextOf({ count, progress = false }: Options): ResponseContext {
  return {
    job: {
      id: 'job',
      call: { method: 'textToImage', prompt: 'a heart', options: { count, seed: 5 } },
      files: [],
      format: 'png',
      partialImages: 1,
      progress,
      priority: 'normal',
    },
    model: { id: 'karlo-tiny', size: 64, textToImage: true, imageVariation: true },
    warnings: ['of the request'],
    eventPrefix: 'image_generation',
    deliver: async (_name, data) => ({ b64_json: data.toString('base64') }),
  } as ResponseContext;
}

const step: JobEvent = {
  ...{ type: 'step', stage: 'prior', step: 1, steps: 25 },
  ...{ fraction: 0.25, secondsLeft: 3 },
};
const image = (index: number): JobEvent => ({
  type: 'image',
  index,
  seed: 5 + index,
  data: Buffer.from(`image ${index}`),
});
const completed: JobEvent = {
  type: 'completed',
  warnings: ['of the run'],
  timings: { encode: 0, prior: 1, decoder: 2, upsample: 3, total: 6 },
  promptTokens: 4,
};

/** The events of a stream, as a client parses them. */
async function streamOf(events: Iterable<JobEvent>, options: Options, error?: Error) {
  const source = async function* () {
    yield* events;
    if (error) throw error;
  };
  const errors: unknown[] = [];
  const received = [];
  for await (const text of toEventStream(source(), contextOf(options), (one) => errors.push(one))) {
    const [, name, data] = /^event: (.+)\ndata: (.+)\n\n$/.exec(text) ?? [];
    const event = JSON.parse(data as string);
    expect(event.type).toBe(name);
    received.push(event);
  }
  return { received, errors };
}

test('the last image carries the usage and all warnings', async () => {
  const { received } = await streamOf([image(0), image(1), completed], { count: 2 });
  expect(received).toMatchObject([
    {
      type: 'image_generation.completed',
      b64_json: Buffer.from('image 0').toString('base64'),
      index: 0,
      seed: 5,
      size: '64x64',
    },
    {
      type: 'image_generation.completed',
      index: 1,
      seed: 6,
      usage: { input_tokens: 4, output_tokens: 2, total_tokens: 6 },
      karlo: { model: 'karlo-tiny', warnings: ['of the request', 'of the run'] },
    },
  ]);
  expect(received[0]).not.toHaveProperty('usage');
});

test('events of a single image have no index', async () => {
  const partial: JobEvent = {
    type: 'partial_image',
    index: 0,
    partialIndex: 0,
    data: Buffer.from('preview'),
  };
  const { received } = await streamOf([partial, image(0), completed], { count: 1 });
  expect(received.map(({ type }) => type)).toEqual([
    'image_generation.partial_image',
    'image_generation.completed',
  ]);
  expect(received[0]).toMatchObject({
    b64_json: Buffer.from('preview').toString('base64'),
    partial_image_index: 0,
  });
  for (const event of received) expect(event).not.toHaveProperty('index');
});

test('progress is sent only if the request asks for it', async () => {
  const events: JobEvent[] = [{ type: 'queued', position: 2 }, step];
  expect((await streamOf(events, { count: 1 })).received).toEqual([]);
  const { received } = await streamOf(events, { count: 1, progress: true });
  expect(received).toEqual([
    { type: 'karlo.progress', stage: 'queued', position: 2 },
    {
      ...{ type: 'karlo.progress', stage: 'prior', step: 1, steps: 25 },
      ...{ fraction: 0.25, seconds_left: 3 },
    },
  ]);
});

test('an error ends the stream with an error event, and is reported', async () => {
  const error = new ApiError(503, 'unavailable', 'No worker is serving a model');
  const { received, errors } = await streamOf([image(0)], { count: 2 }, error);
  expect(received.at(-1)).toEqual({
    type: 'error',
    error: {
      message: 'No worker is serving a model',
      type: 'server_error',
      param: null,
      code: 'unavailable',
    },
  });
  expect(received).toHaveLength(2);
  expect(errors).toEqual([error]);
});

test('the details of an unexpected error are not sent', async () => {
  const { received, errors } = await streamOf([], { count: 1 }, new Error('/secret/path'));
  expect(received).toMatchObject([{ type: 'error', error: { code: 'internal_error' } }]);
  expect(JSON.stringify(received)).not.toContain('secret');
  expect(errors).toHaveLength(1);
});

describe('a heartbeat', () => {
  test('fills silence with comments, and keeps all messages', async () => {
    let endSilence = () => {};
    const silence = new Promise<void>((resolve) => {
      endSilence = resolve;
    });
    const source = async function* () {
      yield 'a';
      await silence;
      yield 'b';
    };
    const received: string[] = [];
    for await (const text of withHeartbeat(source(), 0.02)) {
      received.push(text);
      if (received.length === 3) endSilence();
    }
    expect(received[0]).toBe('a');
    expect(received.at(-1)).toBe('b');
    const comments = received.slice(1, -1);
    expect(comments.length).toBeGreaterThanOrEqual(2);
    for (const comment of comments) expect(comment).toMatch(/^:.*\n\n$/);
  });

  test('closes its source when the reader stops', async () => {
    let closed = false;
    const source = async function* () {
      try {
        for (;;) yield 'a';
      } finally {
        closed = true;
      }
    };
    for await (const text of withHeartbeat(source(), 60)) {
      expect(text).toBe('a');
      break;
    }
    expect(closed).toBe(true);
  });
});
