import { gzipSync } from 'node:zlib';
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
    ['too many images', { prompt, n: 11 }, 'n', 'invalid_value'],
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

  test.each<[unknown, string]>([
    [{}, "Expected a string for 'prompt' but received none"],
    [{ prompt: '' }, "Expected at least 1 character for 'prompt' but received ''"],
    [{ prompt: 5 }, "Expected a string for 'prompt' but received 5"],
    [{ prompt, n: '5' }, "Expected a number for 'n' but received '5'"],
    [{ prompt, n: 1.5 }, "Expected an integer for 'n' but received 1.5"],
    [{ prompt, n: 0 }, "Expected at least 1 for 'n' but received 0"],
    [{ prompt, n: 11 }, "Expected at most 10 for 'n' but received 11"],
    [
      { prompt, sampling: 'x' },
      "Expected one of turbo, fast, default for 'sampling' but received 'x'",
    ],
    [{ prompt, stream: 'yes' }, "Expected a boolean for 'stream' but received 'yes'"],
    [{ prompt, decoder: 5 }, "Expected an object for 'decoder' but received 5"],
    [
      { prompt, size: 'big' },
      "Expected auto, or a size such as 256x256 for 'size' but received 'big'",
    ],
    ['', 'Expected JSON but received an empty body'],
    ['{', 'Expected JSON but received a body that is not'],
    [
      { prompt, prior: { steps: 2, timestep_respacing: '25' } },
      "Expected either steps or timestep_respacing, not both, for 'prior' but received a value of type Object",
    ],
    [[], 'Expected an object for the request but received an array of 0 elements'],
  ])('%j with a message that says each thing once', async (body, message) => {
    expect((await errorOf(await server.post(body))).message).toBe(message);
  });

  test('no field with words that zod or another word repeats', async () => {
    const bad: unknown[] = [-1, 1.5, 1e9, '', 'x', 'x'.repeat(40_000), true, null, [], {}];
    const names = ['prompt', 'n', 'seed', 'sampling', 'size', 'user', 'stream', 'decoder', 'prior'];
    for (const name of names) {
      for (const value of bad) {
        const response = await server.post({ prompt, [name]: value, output_format: 'bad' });
        const { message } = await errorOf(response);
        expect(message).not.toMatch(/\b(\w+) \1\b|Invalid|Too (small|big)|undefined/i);
        expect(message.match(/expected/gi)).toHaveLength(1);
      }
    }
  });

  test('a compressed body, and asks for a plain one', async () => {
    const body = gzipSync(JSON.stringify({ prompt }));
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    const response = await server.post('', { body, headers });
    expect(response.headers.get('accept-encoding')).toBe('identity');
    const error = await errorOf(response);
    expect(error).toMatchObject({ status: 415, code: 'unsupported_media_type' });
    expect(error.message).toMatch(/but received Content-Encoding: gzip\. Send it uncompressed/);
  });

  test.each([
    ['generations', 'JSON, with the header Content-Type: application/json,'],
    ['variations', 'a form, with the header Content-Type: multipart/form-data; boundary=…,'],
  ])(
    'a body without a type or of another type in %s, and names the right one',
    async (name, type) => {
      const url = `${server.url}/v1/images/${name}`;
      const send = async (headers: Record<string, string>) => {
        const body = Buffer.from('{"prompt":"a ring"}');
        return errorOf(await fetch(url, { method: 'POST', headers, body }));
      };
      const without = await send({});
      expect(without).toMatchObject({ status: 415, code: 'unsupported_media_type' });
      expect(without.message).toBe(`Expected ${type} but received no Content-Type`);
      const text = await send({ 'content-type': 'text/plain' });
      expect(text.message).toBe(`Expected ${type} but received text/plain`);
    },
  );

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
