// Evaluations whose images the workers of a queue generate.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { type EvaluateOptions, evaluate, generateImages } from '../../lib/eval/index.js';
import { RedisServer } from '../serve/helpers/processes.js';
import { TestQueue } from '../serve/helpers/queue.js';
import { short } from '../serve/helpers/server.js';
import { expectCode } from '../support/expect-error.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const captions = ['a red heart', 'a blue star', 'a green ring', 'a pink moon'].map(
  (text, number) => ({ number, text }),
);
let redis: RedisServer;
beforeAll(async () => {
  redis = await RedisServer.start();
});

function options(name: string, queue: TestQueue): EvaluateOptions {
  const settings = [{ ...short, sampling: 'fast' } as const];
  const output = join(folder, name);
  return { captions, output, settings, queue: { url: redis.url, name: queue.name } };
}

test('the workers of a queue share the images, which are scored here', async () => {
  const queue = new TestQueue(redis, 'two-workers');
  const workers = [await queue.startWorker(), await queue.startWorker()];
  const report = await evaluate(options('queued', queue));
  expect(report).toMatchObject({ model: { name: 'karlo-tiny' }, clip: 'karlo-tiny' });
  expect(report.rows[0]?.clipScore.cosine.value).toEqual(expect.any(Number));
  expect(readdirSync(join(folder, 'queued', 'fast-4-8'))).toHaveLength(5);
  const runs = workers.map(({ runner }) => runner.runs);
  expect(runs.reduce((sum, count) => sum + count, 0)).toBe(4);
  expect(Math.min(...runs)).toBeGreaterThan(0);
  const local = { ...options('local', queue), queue: undefined, device: 'cpu', dtype: 'float32' };
  const here = await evaluate(local as EvaluateOptions);
  expect(here.rows[0]?.clipScore).toEqual(report.rows[0]?.clipScore);
});

test('a queue without workers is reported', async () => {
  const queue = new TestQueue(redis, 'no-workers');
  const work = () => generateImages(options('none', queue));
  await expectCode('ERR_KARLO_INVALID_ARGUMENT', work, 'no-workers', 'npx karlo worker');
});

test('a Redis that does not answer is reported', async () => {
  const queue = { url: 'redis://127.0.0.1:1' };
  const work = () => generateImages({ captions, output: join(folder, 'none'), queue });
  await expectCode('ERR_KARLO_INVALID_ARGUMENT', work, 'Expected a Redis server at 127.0.0.1:1');
});
