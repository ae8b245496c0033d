import { expect, test } from 'vitest';
import { splitCase } from '../../lib/util/case.js';

test('splits camel case at capitals only', () => {
  expect(splitCase('timestepRespacing', '_')).toBe('timestep_respacing');
  expect(splitCase('maxImagePixels', '-')).toBe('max-image-pixels');
  expect(splitCase('seed', ' ')).toBe('seed');
});
