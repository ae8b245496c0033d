import { expect, test } from 'vitest';
import { describeBuild } from '../../lib/libtorch/folder.js';

test.each([
  ['2.11.0+cu130', false, '2.11.0 without CUDA'],
  ['2.11.0+cpu', false, '2.11.0 without CUDA'],
  ['2.11.0+cu130', true, '2.11.0 with CUDA 13.0'],
  ['2.11.0', true, '2.11.0 with CUDA'],
])('the build %s with CUDA libraries (%s) is %s', (build, cuda, text) => {
  expect(describeBuild({ version: '2.11.0', build, cuda })).toBe(text);
});
