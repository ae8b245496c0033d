import { z } from 'zod';
import { ApiError } from '../errors.js';
import { errorSchema } from '../protocol/error-response.js';
import { contentTypeOf, contentTypes } from '../results/store.js';
import type { RouteGroup } from './route-group.js';

const schema = z.string().meta({ format: 'binary' });
const imageFile = {
  description: 'The image file',
  content: Object.fromEntries(Object.values(contentTypes).map((type) => [type, { schema }])),
};

/** `GET /v1/images/files/NAME`: images requested with `response_format: url`. Needs no key: the name is secret. */
export const fileRoutes: RouteGroup = (app, { results, settings }) => {
  app.route({
    method: 'GET',
    url: '/v1/images/files/:name',
    schema: {
      summary: 'Download an image that was returned by URL',
      params: z.object({ name: z.string().max(100) }),
      operationId: 'downloadFile',
      security: [],
      response: { 200: imageFile, 404: errorSchema },
    },
    async handler({ params: { name } }, reply) {
      const data = await results.get(name);
      if (data === undefined) throw fileNotFound();
      reply.header('content-type', contentTypeOf(name));
      reply.header('cache-control', `private, max-age=${settings.resultSeconds}, immutable`);
      reply.header('cross-origin-resource-policy', 'cross-origin');
      return reply.send(data as never);
    },
  });
};

function fileNotFound(): ApiError {
  const message = 'There is no image of this name. It may have expired';
  return new ApiError(404, 'file_not_found', message);
}
