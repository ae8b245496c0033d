// TorchScript files that would end the process: a crash would end the process of this file.
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ScriptModule, Tensor } from '../../lib/torch/index.js';
import { graphSource, scriptArchive } from '../fixtures/script-archive.js';

const arithmetic = fileURLToPath(new URL('../../build/fixtures/arithmetic.pt', import.meta.url));
const integer = (value: bigint) => Tensor.from(new BigInt64Array([value]));
const lowest = -(2n ** 63n);

test('a graph from source runs', async () => {
  const bytes = await scriptArchive(graphSource('y = torch.mul(2, 3)\nreturn torch.add(y, 1)'));
  using module = await ScriptModule.load(bytes);
  expect(await module.run('forward', [integer(1n)])).toBe(7);
});

test.each([
  ['brackets', `return ${'('.repeat(1e5)}1${')'.repeat(1e5)}`],
  ['calls', `return ${'torch.neg('.repeat(1e5)}1${')'.repeat(1e5)}`],
  ['operators', `return 1${' + 1'.repeat(1e5)}`],
  ['signs', `return ${'-'.repeat(1e5)}1`],
  ['empty lines', `${'\n'.repeat(1e6)}return 1`],
  ['blocks', Array.from({ length: 5000 }, (_, i) => `${' '.repeat(i)}if True:`).join('\n')],
])('a source with too many nested %s is rejected', async (_name, body) => {
  await expect(ScriptModule.load(await scriptArchive(graphSource(body)))).rejects.toMatchObject({
    code: 'ERR_KARLO_MODEL_CORRUPT',
    message: expect.stringMatching(
      /^Expected a TorchScript module in .* nests more than 100 levels deep$/,
    ),
  });
});

test.each<[string, bigint, bigint, RegExp]>([
  ['floor_divide', 1n, 0n, /integer division by zero/],
  ['floor_divide', lowest, -1n, /integer overflow in a division/],
  ['remainder', 1n, 0n, /integer division by zero/],
  ['remainder', lowest, -1n, /integer overflow in a division/],
])('%s of %i by %i rejects the call', async (method, x, y, message) => {
  using module = await ScriptModule.load(arithmetic);
  await expect(module.run(method, [integer(x), integer(y)])).rejects.toMatchObject({
    code: 'ERR_KARLO_NATIVE',
    message: expect.stringMatching(message),
  });
  expect(await module.run(method, [integer(-7n), integer(4n)])).toBe(
    method === 'remainder' ? 1 : -2,
  );
});

test.each(['torch.floordiv', 'torch.remainder', 'torch.__round_to_zero_floordiv'])(
  'a division by zero that LibTorch computes while it loads a graph, %s, is no crash',
  async (operator) => {
    const bytes = await scriptArchive(graphSource(`return ${operator}(1, 0)`));
    const call = async () => (await ScriptModule.load(bytes)).run('forward', [integer(1n)]);
    await expect(call()).rejects.toThrow(/division by/);
  },
);
