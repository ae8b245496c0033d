import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { importWith, queuePackages, serverPackages } from '../../lib/util/optional-packages.js';
import { packageVersion } from '../../lib/util/package.js';

const require = createRequire(import.meta.url);

/** Fails as an import of this package does that is not installed. */
const missing = (name: string) => async () => require(name);

test('a server without its libraries is told to install karlo-serve', async () => {
  const name = `karlo-serve@${packageVersion()}`;
  await expect(importWith(serverPackages, missing('@fastify/not-installed'))).rejects.toMatchObject(
    {
      code: 'ERR_KARLO_PACKAGE_MISSING',
      message: expect.stringMatching(
        `^Expected the packages that the server requires but @fastify/not-installed is not installed. Install them: npm install ${name}\\. .* npx ${name}$`,
      ),
      cause: expect.objectContaining({ code: 'MODULE_NOT_FOUND' }),
    },
  );
});

test('a queue without its libraries is told to install them', async () => {
  await expect(importWith(queuePackages, missing('not-installed'))).rejects.toThrow(
    /that --queue requires but not-installed is not installed\. Install them: npm install bullmq@6 ioredis@6$/,
  );
});

test('any other error is passed on', async () => {
  const error = new Error('out of luck');
  await expect(importWith(serverPackages, () => Promise.reject(error))).rejects.toBe(error);
  expect(await importWith(serverPackages, async () => 1)).toBe(1);
});
