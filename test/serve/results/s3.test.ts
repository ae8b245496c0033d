import S3rver from 's3rver';
import { afterAll, expect, test } from 'vitest';
import { S3Results } from '../../../lib/serve/results/s3.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { checkStore, name } from './check-store.js';

const server = new S3rver({
  port: 0,
  address: '127.0.0.1',
  silent: true,
  directory: temporaryFolder(),
  configureBuckets: [{ name: 'pictures', configs: [] }],
});
const { port } = await server.run();
afterAll(() => server.close());
const environment = {
  AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
  AWS_ACCESS_KEY_ID: 'S3RVER',
  AWS_SECRET_ACCESS_KEY: 'S3RVER',
};
const location = 's3://pictures/some/prefix/';

test('stores files, and ignores expired ones', async () => {
  await checkStore(new S3Results({ location, seconds: 60, environment }));
  const old = new S3Results({ location, seconds: -10, environment });
  expect(await old.get(name)).toBeUndefined();
});

test('reports failed requests and missing credentials', async () => {
  const nowhere = new S3Results({ location: 's3://nowhere', seconds: 60, environment });
  await expect(nowhere.put(name, Buffer.from('x'))).rejects.toThrow(/PUT with status 404/);
  expect(() => new S3Results({ location, seconds: 60, environment: {} })).toThrow(
    expect.objectContaining({ code: 'ERR_KARLO_INVALID_ARGUMENT' }),
  );
});
