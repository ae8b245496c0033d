import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decodeImage } from '../../lib/images/decode.js';
import { Karlo } from '../../lib/karlo.js';
import type { UnsafeAction } from '../../lib/options/descriptions.js';
import { JobRunner } from '../../lib/serve/queue/job-runner.js';
import { LocalBackend } from '../../lib/serve/queue/local-backend.js';
import { MemoryResults } from '../../lib/serve/results/memory.js';
import { writeRandomChecker } from '../fixtures/random-checker.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { errorOf, eventsOf, listen, short } from './helpers/server.js';

const folder = temporaryFolder();
const prompt = 'a red heart on a white background';
const models: Karlo[] = [];
afterAll(() => Promise.all(models.map((model) => model.dispose())));

async function startWith(verdict: 'safe' | 'unsafe', onUnsafe: UnsafeAction) {
  const safety = await writeRandomChecker(join(folder, verdict), verdict);
  const karlo = await Karlo.load({
    ...{ model: 'karlo-tiny', device: 'cpu', dtype: 'float32', safety, onUnsafe },
  });
  models.push(karlo);
  const backend = new LocalBackend(new JobRunner(karlo, 1), { concurrency: 1, capacity: 8 });
  return listen(backend, new MemoryResults({ seconds: 60 }));
}

interface Body {
  data: { b64_json: string; seed: number; unsafe?: boolean }[];
  karlo: { warnings: string[] };
}

async function isBlack(base64: unknown): Promise<boolean> {
  const { data } = await decodeImage(Buffer.from(base64 as string, 'base64'));
  return data.every((value) => value === 0);
}

describe('a server that blackens unsafe images', () => {
  let server: Awaited<ReturnType<typeof startWith>>;
  beforeAll(async () => {
    server = await startWith('unsafe', 'black');
  });

  test('says so in a response', async () => {
    const response = await server.post({ prompt, seed: 3, ...short });
    const { data, karlo } = (await response.json()) as Body;
    expect(data).toMatchObject([{ seed: 3, unsafe: true }]);
    expect(await isBlack(data[0]?.b64_json)).toBe(true);
    expect(karlo.warnings[0]).toMatch('The image with seed 3 was blackened because it is unsafe');
  });

  test('sends no other preview and no draft', async () => {
    const fields = { prompt, seed: 3, ...short, stop_after: 'decoder' };
    const events = await eventsOf(
      await server.post({ ...fields, stream: true, partial_images: 2 }),
    );
    const partial = events.filter(({ type }) => type === 'image_generation.partial_image');
    expect(partial.length).toBeGreaterThan(0);
    for (const { b64_json } of events) expect(await isBlack(b64_json)).toBe(true);
    expect(events.at(-1)).toMatchObject({ type: 'image_generation.completed', unsafe: true });
  });

  test.each(['on_unsafe', 'onUnsafe', 'safety', 'prompt_filter'])(
    'refuses the field %s',
    async (field) => {
      const error = await errorOf(await server.post({ prompt, ...short, [field]: 'keep' }));
      expect(error).toMatchObject({ status: 400, code: 'unknown_parameter' });
    },
  );

  test('counts verdicts, and says what it does with them', async () => {
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toMatch(
      /karlo_safety_verdicts_total\{kind="text-to-image",verdict="unsafe"\} [1-9]/,
    );
    const models = (await (await fetch(`${server.url}/v1/models`)).json()) as {
      data: { karlo: object }[];
    };
    expect(models.data[0]?.karlo).toMatchObject({ on_unsafe: 'black' });
  });
});

test('a server that ends with an error answers as OpenAI does', async () => {
  const { post } = await startWith('unsafe', 'error');
  const error = await errorOf(await post({ prompt, seed: 3, ...short }));
  expect(error).toMatchObject({
    status: 400,
    type: 'invalid_request_error',
    code: 'content_policy_violation',
  });
  const events = await eventsOf(await post({ prompt, seed: 3, ...short, stream: true }));
  expect(events).toMatchObject([{ type: 'error', error: { code: 'content_policy_violation' } }]);
});

test('safe images are marked as such', async () => {
  const { post } = await startWith('safe', 'error');
  const { data, karlo } = (await (await post({ prompt, ...short })).json()) as Body;
  expect(data[0]?.unsafe).toBe(false);
  expect(karlo.warnings).toEqual([]);
});
