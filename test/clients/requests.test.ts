// Programs that are too large to install here: their default requests, sent to the address in the settings of
// docs/guide/clients.md, and their reading of the response.
import { readFileSync } from 'node:fs';
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { download, heart, summary } from './helpers/examples.js';
import { type Json, send, settingsOf, summaryOf } from './helpers/requests.js';
import { serve } from './helpers/serve.js';

const url = await serve();

const image = new Blob([readFileSync(heart)], { type: 'image/png' });

function formOf(fields: Record<string, string>, name: string): FormData {
  const form = new FormData();
  for (const [field, value] of Object.entries(fields)) form.append(field, value);
  form.append(name, image, 'image.png');
  return form;
}

describe('Open WebUI', () => {
  const openai = settingsOf('Open WebUI with the engine Open AI', url);

  test('generates with the engine Open AI', async () => {
    const { IMAGES_OPENAI_API_BASE_URL: base, IMAGES_OPENAI_API_KEY: key } = openai;
    const body = { model: 'dall-e-2', prompt: 'a red heart', n: 1, size: '512x512' };
    const { data } = await send(
      `${base}/images/generations`,
      { ...body, response_format: 'b64_json' },
      { authorization: `Bearer ${key}` },
    );
    expect(await summaryOf(data[0]?.b64_json)).toBe('png 512x512');
  });

  test('generates with gpt-image-1, for which it does not send a response format', async () => {
    const { IMAGES_OPENAI_API_BASE_URL: base } = openai;
    const body = { model: 'gpt-image-1', prompt: 'a red heart', n: 1, size: '1024x1024' };
    const { data } = await send(`${base}/images/generations`, body);
    expect(await summaryOf(data[0]?.b64_json)).toBe('png 1024x1024');
  });

  test('edits with the engine Open AI', async () => {
    const { IMAGES_EDIT_OPENAI_API_BASE_URL: base, IMAGE_EDIT_MODEL: model = '' } = openai;
    const form = formOf({ model, prompt: 'a blue heart' }, 'image');
    const { data } = await send(`${base}/images/edits`, form);
    expect(await summaryOf(data[0]?.b64_json)).toBe('png 128x128');
  });
});

describe('LibreChat', () => {
  const settings = settingsOf('LibreChat', url);

  test('generates with the tool DALL-E 3', async () => {
    const client = new OpenAI({
      apiKey: settings.DALLE_API_KEY ?? '',
      baseURL: settings.DALLE_REVERSE_PROXY ?? '',
    });
    const { data = [] } = await client.images.generate({
      model: 'dall-e-3',
      quality: 'standard',
      style: 'vivid',
      size: '1024x1024',
      prompt: 'a red heart',
      n: 1,
    });
    expect(await summary(await download(data[0]?.url))).toBe('png 1024x1024');
  });

  const agent = {
    apiKey: settings.IMAGE_GEN_OAI_API_KEY ?? '',
    baseURL: settings.IMAGE_GEN_OAI_BASEURL ?? '',
  };

  test('generates with the tool of its agents', async () => {
    const { data = [] } = await new OpenAI(agent).images.generate({
      model: 'gpt-image-1',
      prompt: 'a red heart',
      n: 1,
      background: 'auto',
      output_format: 'png',
      quality: 'auto',
      size: 'auto',
    });
    expect(await summaryOf(data[0]?.b64_json)).toBe('png 128x128');
  });

  test('edits with the tool of its agents', async () => {
    const fields = { model: 'gpt-image-1', prompt: 'a blue heart', quality: 'auto', size: 'auto' };
    const { data } = await send(`${agent.baseURL}/images/edits`, formOf(fields, 'image[]'));
    expect(await summaryOf(data[0]?.b64_json)).toBe('png 128x128');
  });
});

describe('LocalAI', () => {
  const shown = async ({ url, b64_json }: Json['data'][number] = {}) =>
    url === undefined ? summaryOf(b64_json) : summary(await download(url));

  test('generates with the example of its documentation', async () => {
    const body = { prompt: 'A cute baby sea otter', size: '256x256' };
    const { data } = await send(`${url}/v1/images/generations`, body);
    expect(await shown(data[0])).toBe('png 256x256');
  });

  test('generates with the page of its server', async () => {
    const body = {
      model: 'stablediffusion',
      prompt: 'a red heart',
      n: 1,
      size: '512x512',
      step: 15,
    };
    const { data } = await send(`${url}/v1/images/generations`, body);
    expect(await shown(data[0])).toBe('png 512x512');
  });
});
