import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import { packageFolder } from '../../util/package.js';
import type { ServerSettings } from '../settings.js';
import type { RouteGroup } from './route-group.js';

const notBuilt = `This is the karlo API. It is compatible with OpenAI's, at /v1, and described at /openapi.json.
The web page has not been built: npm run build builds it.
`;

/** `GET /`: the built page, or a note that says where the API is. */
export const pageRoutes: RouteGroup = (app, { settings }) => {
  const folder = folderOf(settings);
  if (existsSync(join(folder, 'index.html'))) {
    app.register(async (page) => {
      page.addHook('onRoute', (route) => {
        route.schema = { ...route.schema, security: [] };
      });
      // Without a wildcard, each file has a route, and any other path is an unknown route.
      await page.register(fastifyStatic, {
        root: folder,
        wildcard: false,
        dotfiles: 'deny',
        cacheControl: false,
        setHeaders,
      });
    });
    return;
  }
  app.get('/', { schema: { hide: true, security: [] } }, (_request, reply) => {
    reply.type('text/plain; charset=utf-8').send(notBuilt);
  });
};

/** The page for unknown addresses; undefined if the pages have not been built. */
export function notFoundPage(settings: ServerSettings): string | undefined {
  const file = join(folderOf(settings), '404.html');
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

function folderOf({ webFolder }: ServerSettings): string {
  return webFolder ?? join(packageFolder(), 'dist', 'web');
}

/** The names of assets contain a hash of their content, so they can be cached forever. */
function setHeaders(response: { setHeader(name: string, value: string): void }, path: string) {
  const isAsset = /[\\/]assets[\\/]/.test(path);
  response.setHeader('cache-control', isAsset ? 'public, max-age=31536000, immutable' : 'no-cache');
}
