import { beforeAll, describe, expect, test } from 'vitest';
import { errorOf, start } from '../helpers/server.js';

let server: Awaited<ReturnType<typeof start>>;
beforeAll(async () => {
  server = await start();
});

const prompt = 'a ring';

describe('generations reject', () => {
  test.each<[string, unknown, string | null, string]>([
    ['no prompt', {}, 'prompt', 'missing_required_parameter'],
    ['an empty prompt', { prompt: '' }, 'prompt', 'invalid_value'],
    ['a prompt that is not a string', { prompt: ['a'] }, 'prompt', 'invalid_value'],
    ['a prompt that is too long', { prompt: 'x'.repeat(32_001) }, 'prompt', 'invalid_value'],
    ['zero images', { prompt, n: 0 }, 'n', 'invalid_value'],
    ['too many images', { prompt, n: 9 }, 'n', 'invalid_value'],
    ["a size other than the model's", { prompt, size: '1024x1024' }, 'size', 'invalid_value'],
    ['a malformed size', { prompt, size: 'big' }, 'size', 'invalid_value'],
    ['a seed out of range', { prompt, seed: 2 ** 32 }, 'seed', 'invalid_value'],
    ['zero steps', { prompt, decoder: { steps: 0 } }, 'decoder.steps', 'invalid_value'],
    [
      'an invalid respacing',
      { prompt, prior: { timestep_respacing: '0,5' } },
      'prior.timestep_respacing',
      'invalid_value',
    ],
    [
      'both steps and a respacing',
      { prompt, prior: { steps: 2, timestep_respacing: '25' } },
      'prior',
      'invalid_value',
    ],
    [
      'guidance out of range',
      { prompt, prior: { guidance_scale: 31 } },
      'prior.guidance_scale',
      'invalid_value',
    ],
    [
      'guidance of super-resolution',
      { prompt, upsample: { guidance_scale: 2 } },
      'upsample.guidance_scale',
      'unknown_parameter',
    ],
    ['four partial images', { prompt, partial_images: 4 }, 'partial_images', 'invalid_value'],
    ['an unknown field', { prompt, foo: 1 }, 'foo', 'unknown_parameter'],
    [
      'a transparent background',
      { prompt, background: 'transparent' },
      'background',
      'invalid_value',
    ],
    ['a body that is not an object', '[]', null, 'invalid_value'],
    ['malformed JSON', '{"prompt":', null, 'invalid_json'],
    ['an empty body', '', null, 'invalid_json'],
    ['a __proto__ field', '{"prompt":"x","__proto__":{"n":2}}', null, 'invalid_json'],
  ])('%s', async (_name, body, param, code) => {
    const error = await errorOf(await server.post(body));
    expect(error).toMatchObject({ status: 400, type: 'invalid_request_error', param, code });
    expect(error.message).toMatch(/./);
  });

  test('a model that is not served, including paths and URLs', async () => {
    for (const model of ['gpt-image-1', '../../etc', '/', 'https://example.org/model']) {
      const error = await errorOf(await server.post({ prompt, model }));
      expect(error).toMatchObject({ status: 404, code: 'model_not_found', param: 'model' });
    }
  });

  test('a body that is too large, or whose content type is not JSON', async () => {
    const large = JSON.stringify({ prompt, user: 'x'.repeat(300_000) });
    expect(await errorOf(await server.post(large))).toMatchObject({
      status: 413,
      code: 'request_too_large',
    });
    for (const type of ['text/plain', 'multipart/form-data; boundary=x', 'x']) {
      const text = await server.post('prompt=x', { headers: { 'content-type': type } });
      expect(await errorOf(text)).toMatchObject({ status: 415, code: 'unsupported_media_type' });
    }
  });
});
