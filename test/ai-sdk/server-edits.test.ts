// Edits by generateImage of the AI SDK, with models of a server on loopback.
import { expect, test } from 'vitest';
import { createKarlo } from '../../lib/ai-sdk/index.js';
import { model, start } from '../serve/helpers/server.js';
import { edits, generate, metadataOf, pixelsOf } from './support.js';

test.each(edits)('$method', async ({ prompt, call, karlo: options }) => {
  const { url } = await start();
  const result = await generate({
    model: createKarlo({ baseURL: `${url}/v1` }).image('karlo-tiny'),
    prompt: await prompt(),
    n: 2,
    seed: 3,
    providerOptions: { karlo: options },
  });
  const { images } = await call(await model(), { ...options, count: 2, seed: 3 });
  expect(await pixelsOf(result.images)).toEqual(images.map(({ data }) => Buffer.from(data)));
  expect(metadataOf(result)).toMatchObject([{ seed: 3 }, { seed: 4 }]);
});
