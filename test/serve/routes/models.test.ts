import { expect, test } from 'vitest';
import { start } from '../helpers/server.js';

test('lists the served model and finds it by its name', async () => {
  const { client } = await start();
  const { data } = await client.models.list();
  expect(data).toMatchObject([{ id: 'karlo-tiny', object: 'model' }]);
  expect(await client.models.retrieve('karlo-tiny')).toMatchObject({
    karlo: {
      size: 128,
      text_to_image: true,
      image_variation: true,
      max_n: 10,
      max_image_bytes: 20e6,
      samplings: {
        fast: { prior: { steps: 25, guidance_scale: 4, sampler: 'ddpm' }, upsample: { steps: 7 } },
        default: { decoder: { steps: 50, guidance_scale: 8, guidance_interval: [0, 1] } },
        turbo: { decoder: { steps: 15, guidance_rescale: 0.7 }, upsample: { steps: 3 } },
      },
    },
  });
  await expect(client.models.retrieve('gpt-image-1')).rejects.toMatchObject({
    status: 404,
    code: 'model_not_found',
  });
});
