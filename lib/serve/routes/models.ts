import { z } from 'zod';
import { GUIDANCE, PRESETS } from '../../options/generation.js';
import type { App, Context } from '../context.js';
import {
  errorSchema,
  type ModelAnswer,
  modelSchema,
  modelsSchema,
} from '../protocol/answer-schemas.js';
import { ApiError } from '../protocol/api-error.js';
import type { ModelCard } from '../queue/job.js';

/** `GET /v1/models` and `GET /v1/models/ID`. */
export function addModels(app: App, { backend, settings }: Context): void {
  const list = async () => {
    const card = await backend.model();
    return card === undefined ? [] : [describe(card, settings.maxN)];
  };
  app.route({
    method: 'GET',
    url: '/v1/models',
    schema: {
      summary: 'The model that is served',
      operationId: 'listModels',
      response: { 200: modelsSchema },
    },
    handler: async () => ({ object: 'list' as const, data: await list() }),
  });
  app.route({
    method: 'GET',
    url: '/v1/models/:id',
    schema: {
      summary: 'The model that is served, by its name',
      operationId: 'retrieveModel',
      params: z.object({ id: z.string().max(200) }),
      response: { 200: modelSchema, 404: errorSchema },
    },
    async handler({ params: { id } }) {
      const found = (await list()).find((model) => model.id === id);
      if (found) return found;
      throw new ApiError(404, 'model_not_found', 'Expected the name of the served model');
    },
  });
}

function describe({ id, size, textToImage, imageVariation }: ModelCard, maxN: number): ModelAnswer {
  return {
    id,
    object: 'model',
    created: 0,
    owned_by: 'karlo',
    karlo: {
      size,
      text_to_image: textToImage,
      image_variation: imageVariation,
      samplings: { fast: sampling('fast'), default: sampling('default') },
      max_n: maxN,
    },
  };
}

function sampling(name: keyof typeof PRESETS) {
  const { prior, decoder, upsample } = PRESETS[name];
  return {
    prior: { steps: prior, guidance_scale: GUIDANCE.prior },
    decoder: { steps: decoder, guidance_scale: GUIDANCE.decoder },
    upsample: { steps: upsample },
  };
}
