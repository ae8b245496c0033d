import { z } from 'zod';
import { ApiError } from '../errors.js';
import { errorSchema } from '../protocol/error-response.js';
import { toModelResponse } from '../protocol/model-response.js';
import { modelSchema, modelsSchema } from '../protocol/response-schemas.js';
import type { RouteGroup } from './route-group.js';

/** `GET /v1/models` and `GET /v1/models/ID`. */
export const modelRoutes: RouteGroup = (app, { backend, settings }) => {
  const listModels = async () => {
    const model = await backend.model();
    return model === undefined ? [] : [toModelResponse(model, settings)];
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
