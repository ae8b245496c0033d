import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { errorOf, short, start } from './start.js';

let server: Awaited<ReturnType<typeof start>>;
beforeAll(async () => {
  server = await start({ maxImageBytes: 50_000, maxImagePixels: 1e6 });
});

const prompt = 'a ring';

describe('generations refuse', () => {
  test.each<[string, unknown, string | null, string]>([
    ['no prompt', {}, 'prompt', 'missing_required_parameter'],
    ['an empty prompt', { prompt: '' }, 'prompt', 'invalid_value'],
    ['a prompt that is no text', { prompt: ['a'] }, 'prompt', 'invalid_value'],
    ['a prompt without end', { prompt: 'x'.repeat(32_001) }, 'prompt', 'invalid_value'],
    ['no picture at all', { prompt, n: 0 }, 'n', 'invalid_value'],
    ['too many', { prompt, n: 9 }, 'n', 'invalid_value'],
    ['another size', { prompt, size: '1024x1024' }, 'size', 'invalid_value'],
    ['a size that is none', { prompt, size: 'big' }, 'size', 'invalid_value'],
    ['a seed out of range', { prompt, seed: 2 ** 32 }, 'seed', 'invalid_value'],
    ['no steps', { prompt, decoder: { steps: 0 } }, 'decoder.steps', 'invalid_value'],
    [
      'a bad respacing',
      { prompt, prior: { timestep_respacing: '0,5' } },
      'prior.timestep_respacing',
      'invalid_value',
    ],
    [
      'two spacings',
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
    ['four previews', { prompt, partial_images: 4 }, 'partial_images', 'invalid_value'],
    ['an unknown field', { prompt, foo: 1 }, 'foo', 'unknown_parameter'],
    [
      'a transparent background',
      { prompt, background: 'transparent' },
      'background',
      'invalid_value',
    ],
    ['no object', '[]', null, 'invalid_value'],
    ['no JSON', '{"prompt":', null, 'invalid_json'],
    ['nothing', '', null, 'invalid_json'],
    ["a prototype's fields", '{"prompt":"x","__proto__":{"n":2}}', null, 'invalid_json'],
  ])('%s', async (_name, body, param, code) => {
    const error = await errorOf(await server.post(body));
    expect(error).toMatchObject({ status: 400, type: 'invalid_request_error', param, code });
    expect(error.message).toMatch(/./);
  });

  test('a model that is not served, whatever it names', async () => {
    for (const model of ['gpt-image-1', '../../etc', '/', 'https://example.org/model']) {
      const error = await errorOf(await server.post({ prompt, model }));
      expect(error).toMatchObject({ status: 404, code: 'model_not_found', param: 'model' });
    }
  });

  test('a body that is too large, and one that is no JSON by its type', async () => {
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

describe('variations refuse', () => {
  const vary = (form: FormData) =>
    fetch(`${server.url}/v1/images/variations`, { method: 'POST', body: form });
  const formOf = (fields: Record<string, string | Blob>) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    return form;
  };
  const picture = async (side: number) =>
    new Blob([
      await sharp({ create: { width: side, height: side, channels: 3, background: 'red' } })
        .png()
        .toBuffer(),
    ]);

  test('a form without a picture, with two, or with words for one', async () => {
    expect(await errorOf(await vary(formOf({ n: '1' })))).toMatchObject({
      status: 400,
      param: 'image',
    });
    expect(await errorOf(await vary(formOf({ image: 'file:///etc/passwd' })))).toMatchObject({
      status: 400,
      param: 'image',
    });
    const two = formOf({ image: await picture(8) });
    two.append('image', await picture(8));
    expect((await errorOf(await vary(two))).status).toBe(413);
  });

  test.each([
    ['text', 'no picture at all'],
    ['SVG', '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'],
    ['a picture that breaks off', '\x89PNG\r\n\x1a\n'],
  ])('%s', async (_name, text) => {
    const image = new Blob([Buffer.from(text, 'latin1')]);
    expect(await errorOf(await vary(formOf({ image })))).toMatchObject({
      status: 400,
      param: 'image',
    });
  });

  test('a picture whose header is whole and whose pixels are not', async () => {
    const whole = Buffer.from(await (await picture(64)).arrayBuffer());
    const image = new Blob([whole.subarray(0, whole.length - 40)]);
    expect((await errorOf(await vary(formOf({ image })))).status).toBe(400);
  });

  test('a picture of too many bytes, and of too many pixels', async () => {
    const bytes = new Blob([randomBytes(60_000)]);
    expect(await errorOf(await vary(formOf({ image: bytes })))).toMatchObject({
      ...{ status: 413, code: 'image_too_large', param: 'image' },
      message: 'Expected a picture file of at most 0.05 MB but received a larger one',
    });
    expect(await errorOf(await vary(formOf({ image: await picture(1001) })))).toMatchObject({
      status: 413,
      param: 'image',
    });
  });

  test('numbers that are none, and objects that are said twice', async () => {
    const image = await picture(8);
    const fields: [Record<string, string>, string][] = [
      [{ n: 'two' }, 'n'],
      [{ 'decoder.steps': '1e9' }, 'decoder.steps'],
      [{ decoder: '{"steps":' }, 'decoder'],
      [{ decoder: '{"steps":3}', 'decoder.steps': '3' }, 'decoder.steps'],
      [{ decoder: '3', 'decoder.steps': '3' }, 'decoder'],
      [{ 'decoder.steps.a': '3' }, 'decoder.steps.a'],
    ];
    for (const [wrong, param] of fields) {
      const error = await errorOf(await vary(formOf({ image, ...wrong })));
      expect(error).toMatchObject({ status: 400, param });
    }
  });

  test('what is no form', async () => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
    const response = await fetch(`${server.url}/v1/images/variations`, init);
    expect(await errorOf(response)).toMatchObject({ status: 415 });
  });
});

describe('keys', () => {
  const key = 'a-key-of-some-length';

  test('open the API and the figures; the rest stands open', async () => {
    const { url, client, post } = await start({ apiKeys: ['another-key-beside', key] });
    const without = await fetch(`${url}/v1/models`);
    expect(await errorOf(without)).toMatchObject({ status: 401, code: 'invalid_api_key' });
    const wrong = { headers: { authorization: `Bearer ${key}x` } };
    expect((await fetch(`${url}/v1/models`, wrong)).status).toBe(401);
    expect((await post({ prompt })).status).toBe(401);
    expect((await fetch(`${url}/metrics`)).status).toBe(401);
    const right = { headers: { authorization: `Bearer ${key}` } };
    expect((await fetch(`${url}/metrics`, right)).status).toBe(200);
    expect((await client.models.list()).data).toHaveLength(1);
    for (const open of ['/', '/healthz', '/readyz', '/openapi.json']) {
      expect((await fetch(`${url}${open}`)).status).toBe(200);
    }
  });

  test('are needed where others reach the server, and may not be short', async () => {
    await expect(start({ host: '0.0.0.0' })).rejects.toThrow(/--api-key .* or --insecure/);
    await expect(start({ apiKeys: ['short'] })).rejects.toThrow(/at least 16 characters/);
    const open = await start({ host: '0.0.0.0', insecure: true });
    expect((await fetch(`${open.url}/v1/models`)).status).toBe(200);
  });

  test('have a limit of requests each', async () => {
    const { post } = await start({ rateLimit: 2, apiKeys: [key, 'another-key-beside'] });
    const send = (by: string) =>
      post('{}', {
        headers: { 'content-type': 'application/json', authorization: `Bearer ${by}` },
      });
    expect((await send(key)).status).toBe(400);
    expect((await send(key)).status).toBe(400);
    const third = await send(key);
    expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await errorOf(third)).toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
    expect((await send('another-key-beside')).status).toBe(400);
  });
});

test('where none is needed, a made-up key brings no more requests', async () => {
  const { post } = await start({ rateLimit: 1 });
  const send = (by: string) => post('{}', { headers: { authorization: `Bearer ${by}` } });
  expect((await send('one')).status).toBe(415);
  expect((await send('another')).status).toBe(429);
});

describe('pages elsewhere', () => {
  const origin = 'https://example.org';

  test('may not send anything, forms included', async () => {
    const headers = { origin, 'content-type': 'application/json' };
    expect(await errorOf(await server.post({ prompt }, { headers }))).toMatchObject({
      status: 403,
      code: 'wrong_origin',
    });
    const response = await fetch(`${server.url}/v1/models`, { headers: { origin } });
    expect(response.headers.has('access-control-allow-origin')).toBe(false);
  });

  test('may where they are named', async () => {
    const named = await start({ cors: [origin] });
    const headers = { origin, 'content-type': 'application/json' };
    const response = await named.post({ ...short, prompt }, { headers });
    expect(response.status).toBe(200);
    expect(response.headers.get('access-control-allow-origin')).toBe(origin);
    const ask = {
      ...{ origin, 'access-control-request-method': 'POST' },
      'access-control-request-headers': 'authorization,content-type',
    };
    const closed = await start({ cors: [origin], apiKeys: ['a-key-of-some-length'] });
    const init = { method: 'OPTIONS', headers: ask };
    const asked = await fetch(`${closed.url}/v1/images/generations`, init);
    expect(asked.status).toBe(204);
    expect(asked.headers.get('access-control-allow-origin')).toBe(origin);
    expect(asked.headers.get('access-control-allow-headers')).toContain('authorization');
    await expect(start({ cors: ['*'] })).rejects.toThrow(/Expected an origin/);
  });

  test('cannot point a name of theirs at this machine', async () => {
    const { port, hostname } = new URL(server.url);
    const status = await new Promise((resolve, reject) => {
      const options = { port, hostname, path: '/v1/models', headers: { host: 'example.org' } };
      httpRequest(options, (response) => resolve(response.statusCode))
        .on('error', reject)
        .end();
    });
    expect(status).toBe(403);
  });
});

test('an address that is none', async () => {
  const response = await fetch(`${server.url}/v1/models/%zz`);
  expect(await errorOf(response)).toMatchObject({ status: 400, type: 'invalid_request_error' });
});

test('a route that is not there', async () => {
  const response = await fetch(`${server.url}/v1/nothing?prompt=secret`);
  const error = await errorOf(response);
  expect(error).toMatchObject({ status: 404, type: 'not_found_error', code: 'not_found' });
  expect(error.message).not.toContain('secret');
});

test('a route that is there, by another method', async () => {
  const response = await fetch(`${server.url}/v1/images/generations`);
  expect(response.headers.get('allow')).toBe('POST');
  expect(await errorOf(response)).toMatchObject({ status: 405, code: 'method_not_allowed' });
  const sent = await fetch(`${server.url}/v1/models`, { method: 'POST' });
  expect(sent.headers.get('allow')).toBe('GET');
});
