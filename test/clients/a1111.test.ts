// Programs for the API of Automatic1111's web UI: what they send by default, and their reading of the response.
import { expect, test } from 'vitest';
import { send, settingsOf, summaryOf } from './helpers/requests.js';
import { serve } from './helpers/serve.js';

const url = await serve();

test('Open WebUI generates with the engine Automatic1111', async () => {
  const { AUTOMATIC1111_BASE_URL: base } = settingsOf(
    'Open WebUI with the engine Automatic1111',
    url,
  );
  const headers = { authorization: '' };
  const options = await fetch(`${base}/sdapi/v1/options`, { headers });
  expect(await options.json()).toMatchObject({ sd_model_checkpoint: expect.any(String) });
  const body = { prompt: 'a red heart', batch_size: 1, width: 512, height: 512, steps: 50 };
  const { images, info } = await send(`${base}/sdapi/v1/txt2img`, body, headers);
  expect(await summaryOf(images[0])).toBe('png 512x512');
  expect(info).toEqual(expect.any(String));
});

test('SillyTavern generates with the source Stable Diffusion Web UI', async () => {
  const get = async (path: string) => (await fetch(`${url}/sdapi/v1/${path}`)).json();
  expect(await get('options')).toMatchObject({ sd_model_checkpoint: expect.any(String) });
  expect(await get('sd-models')).toMatchObject([{ title: expect.any(String) }]);
  expect(await get('samplers')).toContainEqual(
    expect.objectContaining({ name: expect.any(String) }),
  );
  expect(await get('progress')).toMatchObject({ progress: 0, state: { job_count: 0 } });
  const { images } = await send(`${url}/sdapi/v1/txt2img`, {
    prompt: 'best quality, absurdres, aesthetic, a red heart',
    negative_prompt: 'lowres, bad anatomy, text, error, cropped, worst quality, watermark, blurry',
    sampler_name: 'DDIM',
    scheduler: 'normal',
    steps: 20,
    cfg_scale: 7,
    width: 512,
    height: 512,
    restore_faces: false,
    enable_hr: false,
    hr_upscaler: 'Latent',
    hr_scale: 1,
    hr_additional_modules: [],
    denoising_strength: 0.7,
    hr_second_pass_steps: 0,
    override_settings: { CLIP_stop_at_last_layers: 1 },
    override_settings_restore_afterwards: true,
    clip_skip: 1,
    save_images: true,
    send_images: true,
    do_not_save_grid: false,
    do_not_save_samples: false,
  });
  expect(await summaryOf(images[0])).toBe('png 512x512');
});
