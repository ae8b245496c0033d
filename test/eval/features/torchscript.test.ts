import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type FeatureInput, loadTorchScript } from '../../../lib/eval/features/torchscript.js';
import { graphSource, scriptArchive } from '../../fixtures/script-archive.js';
import { expectCode, expectCorrupt } from '../../support/expect-error.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { goldenPath, readGolden } from '../goldens.js';
import { fixtureImages, largestDifference } from '../images.js';

const golden = readGolden<{
  images: string[];
  size: number;
  features: Record<'stylegan' | 'float', number[][]>;
}>('features.json');
const folder = temporaryFolder();

/** A TorchScript file whose `forward` has this body. */
async function script(name: string, body: string, signature = ''): Promise<string> {
  const path = join(folder, `${name}.pt`);
  const source = graphSource(body).replace('x: Tensor) -> int', `x: Tensor${signature}) -> Tensor`);
  writeFileSync(path, await scriptArchive(source));
  return path;
}

describe('a TorchScript feature network', () => {
  test.each(['stylegan', 'float'] as const)('is called as %s by its signature', async (name) => {
    const network = await loadTorchScript(goldenPath(`${name}.pt`), {
      size: golden.size,
      batchSize: 2,
    });
    expect(network).toMatchObject({ name: `${name}.pt`, dimensions: 12 });
    const features = await network.extract(await fixtureImages(golden.images));
    expect(largestDifference(features, golden.features[name])).toBeLessThan(1e-5);
    await network.dispose();
  });

  test('can be called with bytes', async () => {
    const body = 'return torch.mean(torch.to(x, 6), [2, 3])';
    const network = await loadTorchScript(await script('bytes', body), { input: 'uint8', size: 4 });
    const data = new Uint8Array(48).fill(200);
    const [feature] = await network.extract([{ width: 4, height: 4, data }]);
    expect([...(feature ?? [])]).toEqual([200, 200, 200]);
    await network.dispose();
  });

  test('has no features of no images', async () => {
    const network = await loadTorchScript(goldenPath('float.pt'));
    expect(await network.extract([])).toEqual([]);
    await network.dispose();
  });

  test('is rejected if it returns no features', async () => {
    const path = await script('images', 'return x');
    await expectCorrupt(
      () => loadTorchScript(path, { size: 8 }),
      /features \[1, D\].*\[1, 3, 8, 8\]/,
    );
  });

  test('is rejected with the message of LibTorch if it fails', async () => {
    const path = await script('fails', 'return torch.matmul(x, torch.reshape(x, [-1]))');
    await expectCode('ERR_KARLO_NATIVE', () => loadTorchScript(path, { size: 8 }));
  });

  test('is rejected for unknown inputs and missing files', async () => {
    const input = 'bytes' as FeatureInput;
    const path = goldenPath('float.pt');
    await expectCode(
      'ERR_KARLO_INVALID_ARGUMENT',
      () => loadTorchScript(path, { input }),
      'stylegan',
    );
    await expectCode('ERR_KARLO_MODEL_NOT_FOUND', () => loadTorchScript(join(folder, 'none.pt')));
  });
});
