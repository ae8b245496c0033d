import { z } from 'zod';
import {
  generationOptions,
  type Sampling,
  type StageOption,
  textToImageOptions,
} from '../../options/descriptions.js';
import { ApiError } from '../errors.js';
import { errorSchema } from '../protocol/error-response.js';
import { type ModelResponse, modelSchema, modelsSchema } from '../protocol/response-schemas.js';
import type { ServedModel } from '../queue/backend.js';
import type { RouteGroup } from './route-group.js';

/** `GET /v1/models` and `GET /v1/models/ID`. */
export const modelRoutes: RouteGroup = (app, { backend, settings }) => {
  const listModels = async () => {
    const model = await backend.model();
    return model === undefined ? [] : [toModelResponse(model, settings.maxN)];
  };
  app.route({
    method: 'GET',
    url: '/v1/models',
    schema: {
      summary: 'List the served model',
      operationId: 'listModels',
      response: { 200: modelsSchema },
    },
    handler: async () => ({ object: 'list' as const, data: await listModels() }),
  });
  app.route({
    method: 'GET',
    url: '/v1/models/:id',
    schema: {
      summary: 'Get the served model by its name',
      operationId: 'retrieveModel',
      params: z.object({ id: z.string().max(200) }),
      response: { 200: modelSchema, 404: errorSchema },
    },
    async handler({ params: { id } }) {
      const found = (await listModels()).find((model) => model.id === id);
      if (found) return found;
      const message = `Expected the name of the served model but received '${id.slice(0, 100)}'`;
      throw new ApiError(404, 'model_not_found', message);
    },
  });
};

function toModelResponse(
  { id, size, textToImage, imageVariation }: ServedModel,
  maxN: number,
): ModelResponse {
  return {
    id,
    object: 'model',
    created: 0,
    owned_by: 'karlo',
    karlo: {
      size,
      text_to_image: textToImage,
      image_variation: imageVariation,
      samplings: { fast: presetOf('fast'), default: presetOf('default') },
      max_n: maxN,
    },
  };
}

function presetOf(sampling: Sampling) {
  const stage = ({ steps, guidanceScale }: StageOption) => ({
    steps: steps[sampling],
    guidance_scale: guidanceScale,
  });
  return {
    prior: stage(textToImageOptions.prior),
    decoder: stage(generationOptions.decoder),
    upsample: { steps: generationOptions.upsample.steps[sampling] },
  };
}
