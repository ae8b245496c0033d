import { expect, test } from 'vitest';
import { runProgram } from './run-program.js';

test('10 000 forgotten tensors and module runs leave the memory flat', async () => {
  const node = ['--expose-gc'];
  const result = await runProgram('test/native/programs/leak.mjs', [], { node });
  expect(result).toMatchObject({ status: 0, signal: null, stderr: '' });
  expect(Number(result.stdout)).toBeLessThan(20e6);
});
