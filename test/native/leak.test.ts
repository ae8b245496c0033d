import { expect, test } from 'vitest';
import { runProgram } from '../support/run-program.js';

// A handle has only a few bytes on V8's heap. V8 collects handles in time because it knows the size of their tensors.
test('unreferenced tensors are collected before they fill the memory', async () => {
  const result = await runProgram('test/native/programs/unreferenced.mjs');
  expect(result).toMatchObject({ status: 0, signal: null, stderr: '' });
  expect(Number(result.stdout)).toBeLessThan(600e6);
});

test('10 000 unreferenced tensors and module runs do not increase the memory', async () => {
  const node = ['--expose-gc'];
  const result = await runProgram('test/native/programs/leak.mjs', [], { node });
  expect(result).toMatchObject({ status: 0, signal: null, stderr: '' });
  expect(Number(result.stdout)).toBeLessThan(20e6);
});
