import { expect, test } from 'vitest';
import { availableOn } from '../../lib/pipeline/available-memory.js';

const GB = 1e9;

test('outside of a container, it is the machine’s memory, whatever else runs', () => {
  expect(availableOn('cpu', { total: 24 * GB, free: GB, machine: 24 * GB })).toMatchObject({
    bytes: 24 * GB,
    source: "24.0 GB, the machine's memory",
  });
});

test('in a container, it is what is left of the limit', () => {
  expect(availableOn('cpu', { total: 0.3 * GB, free: 0.2 * GB, machine: 24 * GB })).toMatchObject({
    bytes: 0.2 * GB,
    source: "200 MB, what is free of the container's limit of 300 MB",
    fix: expect.stringContaining('docker run --memory'),
  });
});

test('on a GPU, it is unknown', () => {
  expect(availableOn('cuda:0')).toBeUndefined();
});
