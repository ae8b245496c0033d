import { expect, test } from 'vitest';
import { runProgram } from './run-program.js';

// Handles are a few bytes to V8: it collects them in time because it was told what they hold.
test('forgotten tensors are collected by the memory that they hold', async () => {
  const result = await runProgram('test/native/programs/forget.mjs');
  expect(result).toMatchObject({ status: 0, signal: null, stderr: '' });
  expect(Number(result.stdout)).toBeLessThan(600e6);
});

test('10 000 forgotten tensors and module runs leave the memory flat', async () => {
  const node = ['--expose-gc'];
  const result = await runProgram('test/native/programs/leak.mjs', [], { node });
  expect(result).toMatchObject({ status: 0, signal: null, stderr: '' });
  expect(Number(result.stdout)).toBeLessThan(20e6);
});
