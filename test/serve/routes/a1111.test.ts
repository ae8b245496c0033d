// The requests are those that the clients send: Open WebUI (routers/images.py), SillyTavern
// (endpoints/stable-diffusion.js), LibreChat (tools/structured/StableDiffusion.js) and the guide to A1111's API.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import type { KarloImage } from '../../../lib/index.js';
import type { Karlo } from '../../../lib/karlo.js';
import { errorOf, heart, model, start, until } from '../helpers/server.js';

let server: Awaited<ReturnType<typeof start>>;
let karlo: Karlo;
beforeAll(async () => {
  [server, karlo] = [await start({ a1111: true }), await model()];
});

const prompt = 'a red heart on a white background';
const file = readFileSync(heart).toString('base64');

interface Answer {
  images: string[];
  parameters: Record<string, unknown>;
  info: string;
  detail?: string;
}

interface Info {
  seed: number;
  all_seeds: number[];
  sampler_name: string;
  steps: number;
  cfg_scale: number;
  infotexts: string[];
  karlo: { warnings: string[] };
}

function request(path: string, init: RequestInit = {}, url = server.url): Promise<Response> {
  return fetch(`${url}/sdapi/v1/${path}`, init);
}

function post(path: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  const type = { 'content-type': 'application/json' };
  const init = { method: 'POST', headers: { ...type, ...headers }, body: JSON.stringify(body) };
  return request(path, init);
}

async function generate(path: string, body: object): Promise<Answer> {
  const response = await post(path, body);
  expect(response.status).toBe(200);
  return (await response.json()) as Answer;
}

const json = async (path: string) => (await request(path)).json();
const infoOf = ({ info }: Answer): Info => JSON.parse(info);
const bytesOf = ({ images }: Answer) => images.map((image) => Buffer.from(image, 'base64'));

/** Hashes: a difference of many bytes takes minutes to print. */
const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function pixelsIn(answer: Answer): Promise<string[]> {
  return Promise.all(
    bytesOf(answer).map(async (image) => hashOf(await sharp(image).raw().toBuffer())),
  );
}

async function pixelsOf(task: PromiseLike<{ images: KarloImage[] }>): Promise<string[]> {
  return (await task).images.map(({ data }) => hashOf(data));
}

async function sizesOf(answer: Answer): Promise<(number | undefined)[][]> {
  const headers = bytesOf(answer).map((image) => sharp(image).metadata());
  return (await Promise.all(headers)).map(({ width, height }) => [width, height]);
}

describe('txt2img', () => {
  test("gives textToImage's bytes at the model's size", async () => {
    const fields = { prompt, negative_prompt: 'blue', seed: 7, steps: 4, cfg_scale: 6 };
    const answer = await generate('txt2img', {
      ...{ ...fields, sampler_name: 'DDIM', batch_size: 2 },
      ...{ width: karlo.size, height: karlo.size },
    });
    const { images } = await karlo.textToImage(prompt, {
      ...{ seed: 7, count: 2, negativePrompt: 'blue' },
      decoder: { steps: 4, guidanceScale: 6, sampler: 'ddim' },
    });
    const files = await Promise.all(images.map((image) => image.toBuffer('png')));
    expect(bytesOf(answer).map(hashOf)).toEqual(files.map(hashOf));
    expect(infoOf(answer)).toMatchObject({
      ...{ prompt, seed: 7, all_seeds: [7, 8], negative_prompt: 'blue' },
      ...{ sampler_name: 'DDIM', steps: 4, cfg_scale: 6, sd_model_name: 'karlo-tiny' },
      karlo: { warnings: [] },
    });
    const settings = 'Steps: 4, Sampler: DDIM, CFG scale: 6, Seed: 8';
    const size = `Size: ${karlo.size}x${karlo.size}, Model: karlo-tiny`;
    expect(infoOf(answer).infotexts[1]).toBe(
      `${prompt}\nNegative prompt: blue\n${settings}, ${size}`,
    );
  });

  test('has the defaults of fast sampling, and a random seed', async () => {
    const answer = await generate('txt2img', { prompt });
    const info = infoOf(answer);
    expect(info).toMatchObject({ sampler_name: 'DDPM', steps: 25, cfg_scale: 8 });
    expect(await pixelsIn(answer)).toEqual(
      await pixelsOf(karlo.textToImage(prompt, { seed: info.seed })),
    );
  });

  test('answers the default request of Open WebUI', async () => {
    const body = { prompt, batch_size: 1, width: 512, height: 512, steps: 4 };
    const answer = await generate('txt2img', body);
    expect(await sizesOf(answer)).toEqual([[512, 512]]);
    expect(answer.parameters).toMatchObject(body);
  });

  test('answers the default request of LibreChat', async () => {
    const answer = await generate('txt2img', {
      ...{ prompt, negative_prompt: 'blurry', cfg_scale: 4.5, steps: 4 },
      ...{ width: 1024, height: 1024 },
    });
    expect(await sizesOf(answer)).toEqual([[1024, 1024]]);
    expect(infoOf(answer).infotexts[0]).toContain('Size: 1024x1024');
  });

  test('answers a request of SillyTavern, crops to its shape and ignores unknown fields', async () => {
    const answer = await generate('txt2img', {
      ...{ prompt, negative_prompt: '', sampler_name: 'DPM++ 2M Karras', scheduler: 'Automatic' },
      ...{ steps: 4, cfg_scale: 7, width: 320, height: 128, seed: -1 },
      ...{ restore_faces: false, enable_hr: false, hr_upscaler: 'Latent', hr_scale: 2 },
      ...{ denoising_strength: 0.7, hr_second_pass_steps: 0, clip_skip: 1 },
      ...{ override_settings: { CLIP_stop_at_last_layers: 1 }, save_images: true },
      ...{ override_settings_restore_afterwards: true, send_images: true, do_not_save_grid: false },
    });
    expect(await sizesOf(answer)).toEqual([[320, 128]]);
    expect(infoOf(answer)).toMatchObject({ sampler_name: 'DPM++ 2M', karlo: { warnings: [] } });
  });

  test("answers the example of A1111's guide, and names what is replaced", async () => {
    const answer = await generate('txt2img', {
      ...{ prompt: 'puppy dog', steps: 2, n_iter: 2, sampler_index: 'Euler a' },
      override_settings: { sd_model_checkpoint: 'Anything-V3.0-pruned' },
    });
    expect(answer.images).toHaveLength(2);
    expect(infoOf(answer).sampler_name).toBe('DDPM');
    expect(infoOf(answer).karlo.warnings).toEqual([
      "The sampler is DDPM, not 'Euler a': expected one of DDPM, DDIM, DPM++ 2M, UniPC",
      "The model is 'karlo-tiny', not that of override_settings",
    ]);
  });

  test.each<[string, object, RegExp]>([
    ['no prompt', {}, /for 'prompt' but received none/],
    ['a side above the limit', { prompt, width: 4096 }, /at most 2048 for 'width'/],
    [
      'too many images',
      { prompt, batch_size: 4, n_iter: 4 },
      /at most 10 images, batch_size times/,
    ],
    ['a guidance scale out of range', { prompt, cfg_scale: 31 }, /at most 30 for 'cfg_scale'/],
  ])('rejects %s with an error of A1111', async (_name, body, message) => {
    const response = await post('txt2img', body);
    expect(response.status).toBe(400);
    const error = (await response.json()) as Record<string, string>;
    expect(error.detail).toMatch(message);
    expect(error).toMatchObject({ errors: error.detail, body: '' });
  });
});

describe('img2img', () => {
  const fields = { prompt, seed: 7, steps: 4, cfg_scale: 6 };
  const options = { seed: 7, decoder: { steps: 4, guidanceScale: 6 } };

  test('starts from the image, with denoising_strength as the strength', async () => {
    const body = { ...fields, init_images: [file], denoising_strength: 0.5 };
    const answer = await generate('img2img', body);
    const same = karlo.imageToImage(heart, prompt, { ...options, strength: 0.5 });
    expect(await pixelsIn(answer)).toEqual(await pixelsOf(same));
    expect(answer.parameters).not.toHaveProperty('init_images');
    expect(infoOf(answer)).toMatchObject({ denoising_strength: 0.5 });
  });

  test('has a strength of 0.75 by default, and reads data URLs', async () => {
    const answer = await generate('img2img', {
      ...{ ...fields, init_images: [`data:image/png;base64,${file}`], mask: null },
    });
    const same = karlo.imageToImage(heart, prompt, { ...options, strength: 0.75 });
    expect(await pixelsIn(answer)).toEqual(await pixelsOf(same));
  });

  test('with a mask repaints where it is white', async () => {
    const mask = await sharp({
      create: { width: 64, height: 128, channels: 3, background: 'black' },
    })
      .extend({ left: 64, background: 'white' })
      .png()
      .toBuffer();
    const answer = await generate('img2img', {
      ...{ ...fields, sampler_name: 'UniPC' },
      ...{ init_images: [file], mask: mask.toString('base64') },
    });
    expect(await pixelsIn(answer)).toEqual(
      await pixelsOf(karlo.inpaint(heart, mask, prompt, options)),
    );
    expect(infoOf(answer).karlo.warnings).toEqual([
      "The sampler is DDPM, not 'UniPC': expected one of DDPM, DDIM",
      'denoising_strength has no effect with a mask',
    ]);
  });

  test.each<[string, object, RegExp]>([
    ['no image', {}, /an array for 'init_images' but received none/],
    [
      'a URL',
      { init_images: ['http://127.0.0.1/heart.png'] },
      /base64 \(the server does not fetch images\) for 'init_images.0'/,
    ],
    ['a text file', { init_images: [btoa('a text')] }, /Expected PNG, JPEG/],
    [
      'an inverted mask',
      { init_images: [file], mask: file, inpainting_mask_invert: 1 },
      /one of 0 for 'inpainting_mask_invert'/,
    ],
  ])('rejects %s', async (_name, body, message) => {
    const response = await post('img2img', { prompt, ...body });
    expect(response.status).toBe(400);
    expect(((await response.json()) as { detail: string }).detail).toMatch(message);
  });
});

describe('a front end that connects', () => {
  test('finds the model, as its title and in the options', async () => {
    expect(await json('sd-models')).toMatchObject([
      { title: 'karlo-tiny', model_name: 'karlo-tiny' },
    ]);
    expect(await json('options')).toMatchObject({ sd_model_checkpoint: 'karlo-tiny' });
  });

  test('can select the served model, and no other', async () => {
    const options = (await json('options')) as object;
    expect((await post('options', options)).status).toBe(200);
    expect((await request('refresh-checkpoints', { method: 'POST' })).status).toBe(200);
    const other = await post('options', { ...options, sd_model_checkpoint: 'dreamshaper' });
    expect(other.status).toBe(404);
    expect(await other.json()).toMatchObject({
      detail:
        "Expected the served model 'karlo-tiny' for 'sd_model_checkpoint' but received 'dreamshaper'",
    });
  });

  test('finds the samplers, whose names and aliases are accepted', async () => {
    const samplers = (await json('samplers')) as { name: string; aliases: string[] }[];
    expect(samplers.map(({ name }) => name)).toEqual(['DDPM', 'DDIM', 'DPM++ 2M', 'UniPC']);
    for (const { name, aliases } of samplers) {
      for (const sampler_name of [name, ...aliases]) {
        const answer = await generate('txt2img', { prompt, steps: 1, sampler_name });
        expect(infoOf(answer)).toMatchObject({ sampler_name: name, karlo: { warnings: [] } });
      }
    }
  });

  test.each([
    ...['schedulers', 'upscalers', 'latent-upscale-modes', 'sd-vae', 'loras', 'hypernetworks'],
    ...[
      'face-restorers',
      'realesrgan-models',
      'prompt-styles',
      'embeddings',
      'scripts',
      'cmd-flags',
    ],
  ])('receives %s', async (name) => {
    expect((await request(name)).status).toBe(200);
  });
});

describe('a running job', () => {
  const progress = async (headers: Record<string, string> = {}, query = '') =>
    (await request(`progress${query}`, { headers })).json() as Promise<{
      progress: number;
      state: { job_count: number; sampling_step: number; sampling_steps: number };
      current_image: string | null;
    }>;
  const endless = { prompt, n_iter: 2, steps: 200 };

  test('reports its progress and a preview to its client alone, and can be interrupted', async () => {
    const mine = { authorization: 'Basic bWU6' };
    const running = post('txt2img', endless, mine);
    await until(async () => (await progress(mine)).current_image !== null);
    const { current_image, ...rest } = await progress(mine);
    expect(rest.progress).toBeGreaterThan(0);
    expect(rest.state).toMatchObject({ job_count: 2, sampling_steps: 400 });
    const preview = await sharp(Buffer.from(current_image as string, 'base64')).metadata();
    expect(preview).toMatchObject({ format: 'png', width: karlo.size });
    expect((await progress(mine, '?skip_current_image=true')).current_image).toBeNull();

    expect(await progress()).toMatchObject({ progress: 0, state: { job_count: 0 } });
    await request('interrupt', { method: 'POST' });
    expect((await progress(mine)).state.job_count).toBe(2);

    await request('interrupt', { method: 'POST', headers: mine });
    const answer = (await (await running).json()) as Answer;
    expect(answer.images.length).toBeLessThan(2);
    expect(infoOf(answer).karlo.warnings).toEqual(['The job was interrupted']);
    expect(await progress(mine)).toMatchObject({ progress: 0, current_image: null });
  });

  test('ends when its client disconnects', async () => {
    const client = new AbortController();
    const type = { 'content-type': 'application/json' };
    const running = request('txt2img', {
      ...{ method: 'POST', headers: type, body: JSON.stringify(endless) },
      signal: client.signal,
    });
    await until(async () => (await progress()).state.job_count === 2);
    client.abort();
    await expect(running).rejects.toThrow();
    await until(async () => (await progress()).state.job_count === 0);
    expect(await server.backend.load()).toMatchObject({ waiting: 0 });
  });
});

describe('access', () => {
  const key = 'a-key-of-some-length';
  const basic = (credentials: string) => ({ authorization: `Basic ${btoa(credentials)}` });

  test('needs the key as a bearer token or as the password of any user', async () => {
    const { url } = await start({ a1111: true, apiKeys: [key] });
    const status = async (headers: Record<string, string>) =>
      (await request('options', { headers }, url)).status;
    expect(await status(basic(`user:${key}`))).toBe(200);
    expect(await status({ authorization: `Bearer ${key}` })).toBe(200);
    expect(await status(basic(`user:${key}x`))).toBe(401);
    expect(await status(basic(`${key}:`))).toBe(401);
    const response = await request('options', {}, url);
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ error: 'invalid_api_key' });
  });

  test('does not accept passwords while the API is off', async () => {
    const { url } = await start({ apiKeys: [key] });
    expect((await fetch(`${url}/v1/models`, { headers: basic(`user:${key}`) })).status).toBe(401);
  });
});

test('is off by default, and says how to turn it on', async () => {
  const { url } = await start();
  for (const method of ['GET', 'POST']) {
    expect(await errorOf(await request('txt2img', { method }, url))).toMatchObject({
      status: 404,
      message: 'The API of A1111 is off. To serve it, start the server with --compat a1111',
    });
  }
});

test('docs/guide/serving.md lists every route', async () => {
  const { paths } = (await (await fetch(`${server.url}/openapi.json`)).json()) as { paths: object };
  const names = Object.keys(paths).filter((path) => path.startsWith('/sdapi/'));
  const guide = readFileSync('docs/guide/serving.md', 'utf8');
  expect(names.length).toBeGreaterThan(10);
  const inGuide = (path: string) => guide.includes(`\`${path.replace('/sdapi/v1/', '')}\``);
  expect(names.filter((path) => !inGuide(path))).toEqual([]);
});
