// The devices themselves: names, errors, tensors and memory.
import { beforeAll, describe, expect, test } from 'vitest';
import { trimMemory } from '../../lib/torch/device.js';
import { devices, memory, Tensor, version } from '../../lib/torch/index.js';

const MiB = 2 ** 20;
const ones = (length: number) => Tensor.from(new Float32Array(length).fill(1));

test('both devices are listed after the CPU, with name and memory', () => {
  const totalMemory = 2 ** 33;
  expect(devices().slice(1)).toEqual([
    { device: 'cuda:0', available: true, name: 'Fake CUDA device 0', totalMemory },
    { device: 'cuda:1', available: true, name: 'Fake CUDA device 1', totalMemory },
  ]);
  expect(version()).toMatchObject({ cuda: true, build: '2.11.0+cu130', source: 'KARLO_LIBTORCH' });
});

test('a device that the machine does not have is an error', () => {
  const error = expect.objectContaining({
    code: 'ERR_KARLO_DEVICE_UNAVAILABLE',
    message: "Device 'cuda:2' cannot be used. This machine has 2 CUDA devices, numbered from 0",
  });
  expect(() => ones(1).to({ device: 'cuda:2' })).toThrow(error);
  expect(() => memory('cuda:2')).toThrow(error);
});

describe('tensors', () => {
  test.each([
    ['cuda', 'cuda:0'],
    ['auto', 'cuda:0'],
    ['cuda:1', 'cuda:1'],
  ])('to %s are on %s', (device, index) => {
    expect(ones(1).to({ device }).device).toBe(index);
  });

  test('keep values, shape and views from device to device', () => {
    const x = Tensor.from(
      Float32Array.from({ length: 24 }, (_, i) => i),
      [2, 3, 4],
    );
    const view = (t: Tensor) => t.permute([2, 0, 1]).slice(1, 1, 2).reshape([-1]);
    const moved = view(x.to({ device: 'cuda:0' }).to({ device: 'cuda:1' }));
    expect(moved.device).toBe('cuda:1');
    expect(moved.to({ device: 'cpu' }).toTypedArray()).toEqual(view(x).toTypedArray());
  });

  test.each(['bfloat16', 'float16'] as const)('are converted to %s and back', (dtype) => {
    const x = Tensor.from(Float32Array.of(0.5, -2, 3));
    const there = x.to({ device: 'cuda', dtype });
    expect(there.mul(2).to({ dtype: 'float32' }).toTypedArray()).toEqual(Float32Array.of(1, -4, 6));
  });

  test('of two devices cannot be combined', () => {
    const onCpu = ones(2);
    const [a, b] = ['cuda:0', 'cuda:1'].map((device) => onCpu.to({ device })) as [Tensor, Tensor];
    expect(() => a.add(onCpu)).toThrow(/all tensors to be on the same device.*cuda:0 and cpu/s);
    expect(() => a.add(b)).toThrow(/all tensors to be on the same device.*cuda:0 and cuda:1/s);
    expect(() => Tensor.cat([a, b])).toThrow(/same device/);
  });
});

describe('memory', () => {
  // The device has no memory, and no statistics, before its first tensor.
  beforeAll(() => {
    ones(1).to({ device: 'cuda:1' }).dispose();
    trimMemory();
  });

  test('is counted for each device, cached when a tensor is freed, and returned when it is trimmed', () => {
    const [first, second] = [memory('cuda:0'), memory('cuda:1')];
    const tensor = ones(MiB).to({ device: 'cuda:1' });
    expect(memory('cuda:1').allocated - second.allocated).toBe(4 * MiB);
    expect(memory('cuda:0')).toEqual(first);
    tensor.dispose();
    expect(memory('cuda:1')).toMatchObject({
      allocated: second.allocated,
      reserved: second.reserved + 4 * MiB,
    });
    trimMemory();
    expect(memory('cuda:1').reserved).toBe(second.reserved);
  });

  test('that a device does not have is an error, which leaves the others usable', () => {
    process.env.FAKE_CUDA_MEMORY = String(MiB);
    try {
      expect(() => ones(MiB).to({ device: 'cuda:1' })).toThrow(
        expect.objectContaining({
          code: 'ERR_KARLO_OUT_OF_MEMORY',
          message: expect.stringContaining('CUDA out of memory. Tried to allocate 4.00 MiB. GPU 1'),
        }),
      );
      expect(ones(8).to({ device: 'cuda:1' }).toTypedArray()).toEqual(new Float32Array(8).fill(1));
    } finally {
      delete process.env.FAKE_CUDA_MEMORY;
    }
  });
});
