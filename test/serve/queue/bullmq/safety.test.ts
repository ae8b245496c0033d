import { join } from 'node:path';
import { expect, test } from 'vitest';
import { decodeImage } from '../../../../lib/images/decode.js';
import { writeRandomChecker } from '../../../fixtures/random-checker.js';
import { runProgram } from '../../../support/run-program.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';
import { karlo, RedisServer, urlOf } from '../../helpers/processes.js';
import { clients, eventsOf, short } from '../../helpers/server.js';

const prompt = 'a blue star';
const folder = temporaryFolder();
const model = ['--device', 'cpu', '--dtype', 'float32'];

test('a worker checks the images of all servers', { timeout: 120_000 }, async () => {
  const safety = await writeRandomChecker(join(folder, 'unsafe'), 'unsafe');
  const { url } = await RedisServer.start();
  const queue = ['--queue', url];
  const checked = ['--safety', safety, '--on-unsafe', 'black'];
  await karlo(['worker', ...queue, ...model, ...checked]);
  const server = await karlo(['serve', ...queue, '--port', '0']);
  const { post } = clients(urlOf(server));
  const events = await eventsOf(
    await post({ prompt, n: 2, seed: 3, ...short, stream: true, partial_images: 1 }),
  );
  expect(events.filter(({ unsafe }) => unsafe === true)).toHaveLength(2);
  for (const { b64_json } of events) {
    const { data } = await decodeImage(Buffer.from(b64_json as string, 'base64'));
    expect(data.every((value) => value === 0)).toBe(true);
  }
  const metrics = await (await fetch(`${urlOf(server)}/metrics`)).text();
  expect(metrics).toMatch('karlo_safety_verdicts_total{kind="text-to-image",verdict="unsafe"} 2');

  const other = await runProgram('dist/lib/cli/main.js', ['worker', ...queue, ...model]);
  expect(other.status).toBe(1);
  expect(other.stderr).toMatch(
    "Expected --safety with --on-unsafe black, as this queue's other workers have, but received no --safety",
  );
});

test('a server without a model rejects --safety', async () => {
  const flags = ['--queue', 'redis://127.0.0.1:1', '--safety', 'checker'];
  const { status, stderr } = await runProgram('dist/lib/cli/main.js', ['serve', ...flags]);
  expect(status).not.toBe(0);
  expect(stderr).toMatch('karlo worker checks the images that it generates');
});
