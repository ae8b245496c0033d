import { expect, test } from 'vitest';
import { runProgram } from './support/run-program.js';

test('karlo.textToImage is a whole program, which names the miniature once', async () => {
  const result = await runProgram('test/shared-instance.mjs');
  expect(result).toMatchObject({ status: 0, signal: null, stdout: 'image 0\n0\n' });
  expect(result.stderr).toMatch(
    /^karlo: using karlo-tiny, .* KARLO_MODEL=kakaobrain\/karlo-v1-alpha\n$/,
  );
});

test('a KARLO_MODEL that does not exist is named in the error', async () => {
  const env = { KARLO_MODEL: '/nowhere/model' };
  const result = await runProgram('test/shared-instance.mjs', [], { env });
  expect(result.status).toBe(1);
  expect(result.stderr).toContain('/nowhere/model');
});
