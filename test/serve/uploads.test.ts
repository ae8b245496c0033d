import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { expect, test } from 'vitest';
import { blackPng } from '../images/helpers/hostile.js';
import { open, received } from './helpers/raw.js';
import { errorOf, heart, model, postForm, short, start, until } from './helpers/server.js';

/** The header of a form that is never sent completely. */
const head = (length: number, first = '') =>
  `POST /v1/images/variations HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: ${length}\r\n\r\n${first}`;

function formOf(image: Buffer): FormData {
  const form = new FormData();
  form.set('image', new File([new Uint8Array(image)], 'image.png'));
  form.set('decoder', JSON.stringify(short.decoder));
  form.set('upsample', JSON.stringify(short.upsample));
  return form;
}

const image = readFileSync(heart);

test('bodies that are being sent hold places in the queue', async () => {
  await model();
  const { url, post } = await start({}, { concurrency: 1, capacity: 1 });
  const sending = [await open(url), await open(url)];
  for (const socket of sending) socket.write(head(1000));
  const full = async () =>
    (await errorOf(await postForm(url, formOf(image)))).code === 'queue_full';
  await until(full);
  expect(await errorOf(await post({ prompt: 'a ring' }))).toMatchObject({ code: 'queue_full' });
  sending[0]?.destroy();
  await until(async () => (await postForm(url, formOf(image))).status === 200);
});

test('a body for which there is no memory is rejected before it is read, and its connection closed', async () => {
  const maxImageBytes = 20e6;
  const { url } = await start(
    { maxImageBytes, uploadBudget: 30e6 },
    { concurrency: 4, capacity: 4 },
  );
  const first = await open(url);
  first.write(head(15e6));
  let rejected = await large(url);
  await until(async () => {
    if (rejected.status !== 429) rejected = await large(url);
    return rejected.status === 429;
  });
  expect(rejected).toMatchObject({
    ...{ status: 429, connection: 'close' },
    body: { error: { code: 'uploads_full', type: 'rate_limit_error' } },
  });
  expect(Number(rejected.retryAfter)).toBeGreaterThan(0);
  // There is room for a small one.
  expect((await postForm(url, formOf(image))).status).toBe(200);
  first.destroy();
  await until(async () => (await large(url)).status !== 429);
});

/** Sends 19 MB that are not an image, all at once, and reads the response. */
async function large(url: string) {
  const body = Buffer.concat([
    Buffer.from('--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'),
    Buffer.alloc(19e6),
    Buffer.from('\r\n--x--\r\n'),
  ]);
  const headers = {
    'content-type': 'multipart/form-data; boundary=x',
    'content-length': body.length,
  };
  const sent = request(`${url}/v1/images/variations`, { method: 'POST', headers });
  sent.end(body);
  const [response] = await once(sent, 'response');
  let text = '';
  for await (const part of response) text += part;
  const { connection, 'retry-after': retryAfter } = response.headers;
  return { status: response.statusCode, connection, retryAfter, body: JSON.parse(text) };
}

test('the memory of a request is free again after its response, and after it was aborted', async () => {
  const { url } = await start({ maxImageBytes: 20e6, uploadBudget: 25e6 });
  // Each takes most of the budget.
  for (let i = 0; i < 3; i++) expect((await large(url)).status).toBe(400);
  const aborted = await open(url);
  aborted.write(head(15e6));
  aborted.destroy();
  await until(async () => (await large(url)).status === 400);
});

test('a body that arrives too slowly is ended with 408', async () => {
  const { url } = await start();
  const slow = await open(url);
  const response = received(slow);
  slow.write(head(100_000, '--x\r\n'));
  const drip = setInterval(() => slow.write('x'), 100);
  expect(await response).toMatch(/^HTTP\/1\.1 408 /);
  clearInterval(drip);
});

test('an upload budget that no image fits into is rejected', async () => {
  await expect(start({ maxImageBytes: 20e6, uploadBudget: 20e6 })).rejects.toThrow(
    /at least --max-image \(20 MB\) and 2\.\d+ MB for the other fields for --upload-budget/,
  );
});

test('an image that is narrow and high is rejected at once, and so is SVG that looks like WebP', async () => {
  const { url } = await start();
  const narrow = await errorOf(await postForm(url, formOf(blackPng(1, 31_900_000))));
  expect(narrow).toMatchObject({ status: 413, code: 'image_too_large', param: 'image' });
  const svg = Buffer.from('<svg    WEBP="" xmlns="http://www.w3.org/2000/svg"/>');
  expect(await errorOf(await postForm(url, formOf(svg)))).toMatchObject({
    ...{ status: 400, param: 'image' },
    message: expect.stringMatching(/it is SVG/),
  });
});
