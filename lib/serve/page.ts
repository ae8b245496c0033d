import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import { packageFolder } from '../torch/load.js';
import type { App } from './context.js';

const words = `This is the API of karlo. It speaks as OpenAI's does, at /v1; /openapi.json describes it.
The page is not built here: npm run build makes it.
`;

/** The built page at `/`, or words that say where the API is. */
export function addPage(app: App, folder = join(packageFolder(), 'dist', 'web')): void {
  if (existsSync(join(folder, 'index.html'))) {
    app.register(fastifyStatic, {
      root: folder,
      dotfiles: 'deny',
      cacheControl: false,
      setHeaders,
    });
    return;
  }
  app.get('/', { schema: { hide: true } }, (_request, reply) => {
    reply.type('text/plain; charset=utf-8').send(words);
  });
}

/** Names of assets carry a hash of what they hold. */
function setHeaders(response: { setHeader(name: string, value: string): void }, path: string) {
  const fixed = /[\\/]assets[\\/]/.test(path);
  response.setHeader('cache-control', fixed ? 'public, max-age=31536000, immutable' : 'no-cache');
}
