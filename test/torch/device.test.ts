import { describe, expect, test } from 'vitest';
import { convert, defaultEngine } from '../../lib/torch/engine.js';
import { devices, memory, ScriptModule, Tensor, version } from '../../lib/torch/index.js';
import { capabilities } from '../support/capabilities.js';

const cuda = devices().find(({ device }) => device.startsWith('cuda'));

describe('devices', () => {
  test('lists the CPU first, then CUDA, available or with a reason', () => {
    const [cpu] = devices();
    expect(cpu).toMatchObject({ device: 'cpu', available: true, name: expect.any(String) });
    expect(cuda).toBeDefined();
    if (cuda?.available) expect(cuda.totalMemory).toBeGreaterThan(0);
    else expect(cuda?.reason).toMatch(/driver|LibTorch/);
  });

  test.skipIf(cuda?.available)(
    'unavailable CUDA is an error, never replaced by the CPU',
    async () => {
      const unavailable = {
        name: 'KarloError',
        code: 'ERR_KARLO_DEVICE_UNAVAILABLE',
        message: expect.stringContaining(cuda?.reason ?? ''),
      };
      await expect(ScriptModule.load('x.pt', { device: 'cuda' })).rejects.toMatchObject(
        unavailable,
      );
      expect(() => memory('cuda:1')).toThrow(expect.objectContaining(unavailable));
      const tensor = Tensor.from(new Float32Array(1));
      expect(() => tensor.to({ device: 'cuda' })).toThrow(expect.objectContaining(unavailable));
      await expect(convert(defaultEngine(), tensor, { device: 'cuda' })).rejects.toMatchObject(
        unavailable,
      );
      expect(tensor.to({ device: 'auto' }).device).toBe('cpu');
    },
  );

  test.each([
    ['gpu', 'did you mean cuda?'],
    ['GPU:1', 'did you mean cuda:1?'],
    ['CUDA', 'did you mean cuda?'],
    ['0', 'did you mean cuda:0?'],
    ['metal', 'did you mean mps?'],
    ['rocm', 'only CPUs, NVIDIA GPUs and Apple GPUs are supported'],
  ])('the unknown device %s is rejected with a suggestion', (device, fix) => {
    const message = `for device but received '${device}': ${fix}`;
    expect(() => memory(device)).toThrow(message);
  });

  test('a reason why there is no CUDA is for people, not from the linker', () => {
    expect(cuda?.reason ?? '').not.toMatch(/cannot open shared object file|\+cu/);
  });

  test('version reports LibTorch, its folder and the CPU capability', () => {
    expect(version()).toMatchObject({
      libtorch: '2.11.0',
      build: expect.stringMatching(/^2\.11\.0/),
      cuda: expect.any(Boolean),
      folder: expect.any(String),
      cpuCapability: expect.stringMatching(/^(DEFAULT|AVX2|AVX512|NEON|SVE)/),
      kernels: process.env.KARLO_CPU_CAPABILITY ?? capabilities().at(-1),
    });
  });
});
