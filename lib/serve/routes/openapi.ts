import swagger from '@fastify/swagger';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import type { RouteGroup } from './route-group.js';

/** `GET /openapi.json`: a description of all routes that are added after this group. */
export const openApiRoutes: RouteGroup = async (app) => {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'karlo',
        description: 'Text to image and image variation, compatible with OpenAI clients',
        version: '1',
      },
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
      security: [{ key: [] }],
    },
    transform: jsonSchemaTransform,
  });
  const schema = { hide: true, security: [] };
  app.get('/openapi.json', { schema }, async () => app.swagger());
};
