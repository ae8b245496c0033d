import { cpSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { convertModel } from '../../lib/layouts/converted/convert.js';
import { type Model, openModel } from '../../lib/layouts/index.js';
import { SCHEDULERS } from '../../lib/layouts/scheduler-config.js';
import { COMPONENTS, type ComponentName } from '../../lib/networks/registry.js';
import { Engine, ScriptModule, type ScriptOutput, type Tensor } from '../../lib/torch/index.js';
import { writeSmallModel } from '../fixtures/formula.js';
import { testDevice } from '../support/test-device.js';
import { Golden, inputsOf, outputNames } from './golden.js';

const goldens = fileURLToPath(new URL('../fixtures/goldens', import.meta.url));
const tinyFolder = fileURLToPath(new URL('../../models/karlo-tiny', import.meta.url));

/** Relative to the largest magnitude of the output; the networks reach 1.3e-6. */
const tolerance = 1e-5;

const engine = new Engine();
let temporary: string;
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'karlo-parity-'));
  await writeSmallModel(goldens, join(temporary, 'small'));
  // Files that conversion needs, but not this test.
  for (const part of [...SCHEDULERS, 'tokenizer', 'feature_extractor']) {
    cpSync(join(tinyFolder, part), join(temporary, 'small', part), { recursive: true });
  }
});
afterAll(async () => {
  await engine.dispose();
  await rm(temporary, { recursive: true });
});

const asArray = (output: ScriptOutput) => (Array.isArray(output) ? output : [output]) as Tensor[];
const rowsOf = (inputs: Tensor[], batch: number) =>
  inputs.map((t) => t.slice(0, 0, batch).to({ device: testDevice }));
const valuesOf = (tensor: Tensor) => tensor.to({ dtype: 'float32' }).toTypedArray();

/** The largest difference, relative to the largest magnitude of the first tensor. */
function difference(a: Tensor, b: Tensor): number {
  expect(b.shape).toEqual(a.shape);
  const [x, y] = [valuesOf(a), valuesOf(b)];
  const largest = x.reduce((max, v) => Math.max(max, Math.abs(v)), 0);
  return x.reduce((max, v, i) => Math.max(max, Math.abs(v - (y[i] as number))), 0) / largest;
}

function cosine(a: Tensor, b: Tensor): number {
  const [x, y] = [valuesOf(a), valuesOf(b)];
  let [dot, xx, yy] = [0, 0, 0];
  for (const [i, v] of x.entries()) {
    dot += v * (y[i] as number);
    xx += v * v;
    yy += (y[i] as number) ** 2;
  }
  return dot / Math.sqrt(xx * yy);
}

describe.each([
  ['tiny', () => tinyFolder],
  ['small', () => join(temporary, 'small')],
])('%s', (name, folder) => {
  let model: Model;
  let golden: Golden;
  const networks = new Map<ComponentName, ScriptModule>();

  beforeAll(async () => {
    model = await openModel(folder());
    golden = await Golden.read(join(goldens, `${name}.safetensors`));
    for (const component of COMPONENTS) {
      const placement = { engine, device: testDevice, dtype: 'float32' } as const;
      networks.set(component, await model.load(component, placement));
    }
  });

  const network = (component: ComponentName) => networks.get(component) as ScriptModule;
  const inputs = (component: ComponentName, batch: number) =>
    rowsOf(inputsOf(component, model.configs, golden), batch);
  const run = async (module: ScriptModule, method: string, input: Tensor[]) =>
    asArray(await module.run(method, input));

  describe.each(COMPONENTS)('%s', (component) => {
    test.each([1, 2, 5])('forward agrees with the reference at batch %i', async (batch) => {
      const outputs = await run(network(component), 'forward', inputs(component, batch));
      for (const [i, output] of outputNames[component].entries()) {
        const key = `${component}.${output}`;
        expect(golden.difference(key, outputs[i] as Tensor), key).toBeLessThan(tolerance);
      }
    });

    test('bfloat16 points in the direction of float32', async () => {
      const placement = { engine, device: testDevice, dtype: 'bfloat16' } as const;
      using half = await model.load(component, placement);
      const input = inputs(component, 2);
      const [float, rounded] = await Promise.all([
        run(network(component), 'forward', input),
        run(half, 'forward', input),
      ]);
      for (const [i, output] of outputNames[component].entries()) {
        expect(cosine(float[i] as Tensor, rounded[i] as Tensor), output).toBeGreaterThan(0.999);
      }
    });

    test('computes the same bits after saving, loading and freezing', async () => {
      const fresh = network(component);
      const loaded = await ScriptModule.load(await fresh.save(), { engine, device: testDevice });
      using frozen = await loaded.freeze();
      const input = inputs(component, 2);
      const expected = (await run(fresh, 'forward', input)).map(valuesOf);
      for (const module of [loaded, frozen]) {
        expect((await run(module, 'forward', input)).map(valuesOf)).toEqual(expected);
      }
    });
  });

  test('the prior computes the same with cached keys and values', async () => {
    const prior = network('prior');
    const [x, t, embeds, hidden, mask] = inputs('prior', 5) as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ];
    const [whole] = await run(prior, 'forward', [x, t, embeds, hidden, mask]);
    const cache = await run(prior, 'prefill', [embeds, hidden, mask]);
    const [stepped] = await run(prior, 'step', [x, t, ...cache]);
    expect(difference(whole as Tensor, stepped as Tensor)).toBeLessThan(tolerance);
    const [times] = await run(prior, 'times', [t]);
    const [at] = await run(prior, 'step_at', [x, times as Tensor, ...cache]);
    expect(difference(whole as Tensor, at as Tensor)).toBeLessThan(tolerance);
    const [finished] = await run(prior, 'finish', [x]);
    expect(golden.difference('prior.image_embeds', finished as Tensor)).toBeLessThan(1e-6);
  });

  test('the decoder computes the same with cached context keys and values', async () => {
    const decoder = network('decoder');
    const [x, t, context, mask, labels] = inputs('decoder', 5) as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ];
    const [whole] = await run(decoder, 'forward', [x, t, context, mask, labels]);
    const cache = await run(decoder, 'condition', [context, mask]);
    const [stepped] = await run(decoder, 'step', [x, t, labels, ...cache]);
    expect(difference(whole as Tensor, stepped as Tensor)).toBeLessThan(tolerance);
  });

  test.each(['super_res_first', 'super_res_last'] as const)(
    '%s concatenates its two images, x_t first',
    async (component) => {
      const [x, t] = inputs(component, 5) as [Tensor, Tensor];
      const [whole] = await run(network(component), 'forward', [x, t]);
      const half = (x.shape[1] as number) / 2;
      const parts = [x.slice(1, 0, half), x.slice(1, half, 2 * half)];
      const [stepped] = await run(network(component), 'step', [...parts, t]);
      expect(difference(whole as Tensor, stepped as Tensor)).toBeLessThan(1e-6);
    },
  );

  test('a converted folder computes the same bits', async () => {
    const to = join(temporary, `${name}-converted`);
    await convertModel(folder(), to, { dtype: 'float32' });
    const converted = await openModel(to);
    expect(converted.configs).toEqual(model.configs);
    for (const component of COMPONENTS) {
      const placement = { engine, device: testDevice, dtype: 'float32' } as const;
      using again = await converted.load(component, placement);
      const input = inputs(component, 2);
      const expected = (await run(network(component), 'forward', input)).map(valuesOf);
      expect((await run(again, 'forward', input)).map(valuesOf), component).toEqual(expected);
    }
  });
});
