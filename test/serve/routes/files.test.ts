import { expect, test } from 'vitest';
import { start } from '../helpers/server.js';

test.each(['AAAAAAAAAAAAAAAAAAAAAA-0.png', '..%2f..%2fpackage.json', 'x', '%00'])(
  'responds with 404 for the name %s',
  async (name) => {
    const { url } = await start();
    expect((await fetch(`${url}/v1/images/files/${name}`)).status).toBe(404);
  },
);
