import { extname } from 'node:path';
import { z } from 'zod';
import type { App, Context } from '../context.js';
import { errorSchema } from '../protocol/answer-schemas.js';
import { ApiError } from '../protocol/api-error.js';
import { contentTypes, isResultName } from '../results/results.js';

const schema = z.string().meta({ format: 'binary' });
const picture = {
  description: 'The bytes of the picture file',
  content: Object.fromEntries(Object.values(contentTypes).map((type) => [type, { schema }])),
};

/** `GET /v1/images/files/NAME`: what `response_format: url` names. The name is the permission. */
export function addFiles(app: App, { results, settings }: Context): void {
  app.route({
    method: 'GET',
    url: '/v1/images/files/:name',
    schema: {
      summary: 'A picture that was answered by its url',
      params: z.object({ name: z.string().max(100) }),
      operationId: 'downloadFile',
      security: [],
      response: { 200: picture, 404: errorSchema },
    },
    async handler({ params: { name } }, reply) {
      const data = isResultName(name) ? await results.get(name) : undefined;
      if (data === undefined) throw gone();
      reply.header('content-type', contentTypes[extname(name).slice(1) as 'png']);
      reply.header('cache-control', `private, max-age=${settings.resultSeconds}, immutable`);
      reply.header('cross-origin-resource-policy', 'cross-origin');
      return reply.send(data as never);
    },
  });
}

function gone(): ApiError {
  const message = 'Expected a picture that is still kept: this one is not, or never was';
  return new ApiError(404, 'file_not_found', message);
}
