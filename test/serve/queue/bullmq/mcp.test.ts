import { expect, test } from 'vitest';
import type { KarloImage } from '../../../../lib/index.js';
import { connectHttp, pixelsIn, pixelsOf, textOf } from '../../helpers/mcp.js';
import { RedisServer } from '../../helpers/processes.js';
import { TestQueue } from '../../helpers/queue.js';
import { model } from '../../helpers/server.js';

const prompt = 'a blue star';

test('workers run the calls of tools, and names of images work on every server', async () => {
  const queue = new TestQueue(await RedisServer.start(), 'mcp');
  const { runner } = await queue.startWorker();
  const [first, second] = [await queue.startServer(), await queue.startServer()];
  const { call } = await connectHttp(first.url);
  const result = await call('generate', { prompt, seed: 1 });
  const task = (await model()).textToImage(prompt, { seed: 1 });
  expect(await pixelsIn(result)).toEqual(await pixelsOf(task));

  const [image] = /\S+\.png/.exec(textOf(result.content)) ?? [];
  const other = await connectHttp(second.url);
  const [original] = (await task).images;
  const same = (await model()).imageVariation(original as KarloImage, { seed: 2 });
  expect(await pixelsIn(await other.call('vary', { image, seed: 2 }))).toEqual(
    await pixelsOf(same),
  );
  expect(runner.runs).toBe(2);
});
