import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Karlo } from '../../lib/karlo.js';
import { BatchQueue, type Portion } from '../../lib/pipeline/batch-queue.js';

/** Few steps: what is tested here does not hang on their number. */
const vary = { decoder: { steps: 3 }, upsample: { steps: 2 } };
const short = { ...vary, prior: { steps: 3 } };
const prompts = ['a red heart', 'a green ring', 'a blue star', 'a yellow moon', 'a black square'];

let karlo: Karlo;
beforeAll(async () => {
  karlo = await Karlo.load({ model: 'karlo-tiny', device: 'cpu', dtype: 'float32' });
});
afterAll(() => karlo.dispose());

describe('calls that wait together share batches', () => {
  const options = { ...short, seed: 3, batchSize: 4 };

  test('and each gets the bytes that it gets alone', async () => {
    const alone: Uint8Array[] = [];
    for (const prompt of prompts) {
      alone.push((await karlo.textToImage(prompt, options)).images[0]?.data as Uint8Array);
    }
    const together = await Promise.all(prompts.map((one) => karlo.textToImage(one, options)));
    for (const [i, { images }] of together.entries()) expect(images[0]?.data).toEqual(alone[i]);
    // Four in one batch, which all of them timed alike; the fifth in another.
    const times = together.map(({ timings }) => timings.decoder);
    expect(new Set(times.slice(0, 4)).size).toBe(1);
    expect(times[4]).not.toBe(times[0]);
  });

  test('but not with other settings or another kind', async () => {
    const [a, b, c] = await Promise.all([
      karlo.textToImage('a red heart', options),
      karlo.textToImage('a red heart', { ...options, decoder: { steps: 4 } }),
      karlo
        .textToImage('a red heart', { ...options, batchSize: 1 })
        .then(({ images }) =>
          karlo.imageVariation(images[0] as never, { ...vary, seed: 3, batchSize: 4 }),
        ),
    ]);
    expect(new Set([a, b, c].map(({ timings }) => timings.decoder)).size).toBe(3);
  });

  test('one that leaves ends at once, and the others go on', async () => {
    const expected = (await karlo.textToImage('a green ring', options)).images[0]?.data;
    const controller = new AbortController();
    const { signal } = controller;
    const leaving = karlo.textToImage('a red heart', { ...options, signal });
    const staying = karlo.textToImage('a green ring', { ...options, previews: true });
    const left = expect(leaving).rejects.toThrow('enough');
    for await (const event of staying) {
      if (event.type === 'step' && event.stage === 'decoder') {
        expect(event.previews).toHaveLength(1);
        controller.abort(new Error('enough'));
      }
    }
    await left;
    expect((await staying).images[0]?.data).toEqual(expected);
  });
});

test('a short call beside a long one waits for a picture of it, not for all', async () => {
  const done: string[] = [];
  const long = karlo.textToImage('a red heart', { ...short, seed: 1, count: 6 });
  const watch = async () => {
    for await (const event of long) if (event.type === 'image') done.push(`long ${event.index}`);
  };
  const watched = watch();
  for (const name of ['first', 'second']) {
    await karlo.textToImage('a blue star', { ...short, seed: 2 });
    done.push(name);
  }
  await watched;
  expect(done).toHaveLength(8);
  expect(done.indexOf('first')).toBeLessThan(3);
  expect(done.indexOf('second')).toBeLessThan(6);
});

describe('residency', () => {
  test('staged makes the same pictures, also of calls that come together', async () => {
    await using staged = await Karlo.load({ device: 'cpu', dtype: 'float32', residency: 'staged' });
    const make = (one: Karlo) =>
      Promise.all(
        prompts.slice(0, 2).map((prompt) => one.textToImage(prompt, { ...short, seed: 1 })),
      );
    const [here, there] = [await make(karlo), await make(staged)];
    for (const [i, { images }] of here.entries()) {
      expect(there[i]?.images[0]?.data).toEqual(images[0]?.data);
    }
    const picture = here[0]?.images[0] as never;
    const [one, other] = [
      await karlo.imageVariation(picture, { ...vary, seed: 1 }),
      await staged.imageVariation(picture, { ...vary, seed: 1 }),
    ];
    expect(other.images[0]?.data).toEqual(one.images[0]?.data);
  });
});

describe('the queue', () => {
  interface Item extends Portion {
    name: string;
  }
  const batches: string[][] = [];
  const queue = new BatchQueue<Item, string>(async (portions) => {
    batches.push(portions.map(({ name }) => name));
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (portions.some(({ name }) => name === 'wrong')) throw new Error('failed');
    return portions.map(({ name }) => name.toUpperCase());
  });
  const add = (name: string, size = 1, key = 'k', signal = new AbortController().signal) =>
    queue.add({ name, size, key, capacity: 4, signal });

  test('fills batches in the order of arrival', async () => {
    batches.length = 0;
    const all = [add('a', 2), add('b', 3), add('c', 1, 'other'), add('d', 2), add('e', 1)];
    expect(await Promise.all(all)).toEqual(['A', 'B', 'C', 'D', 'E']);
    expect(batches).toEqual([['a', 'd'], ['b', 'e'], ['c']]);
  });

  test('a failed batch fails its callers and no others', async () => {
    const all = await Promise.allSettled([add('wrong'), add('a'), add('b', 4)]);
    expect(all.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
  });

  test('who aborts while waiting is never run', async () => {
    batches.length = 0;
    const controller = new AbortController();
    const first = add('a', 4);
    const gone = add('b', 4, 'k', controller.signal);
    controller.abort(new Error('no more'));
    await expect(gone).rejects.toThrow('no more');
    await first;
    await queue.idle();
    expect(batches).toEqual([['a']]);
    await expect(add('c', 1, 'k', AbortSignal.abort(new Error('before')))).rejects.toThrow(
      'before',
    );
  });

  test('waits for work that is told of', async () => {
    batches.length = 0;
    const later = queue
      .expect(new Promise((resolve) => setTimeout(resolve, 20)))
      .then(() => add('b'));
    await Promise.all([add('a'), later]);
    expect(batches).toEqual([['a', 'b']]);
  });

  test('but not with a batch that is full', async () => {
    batches.length = 0;
    const picture = new Promise((resolve) => setTimeout(resolve, 200));
    const later = queue.expect(picture).then(() => add('b', 4));
    await add('a', 4);
    expect(batches).toEqual([['a']]);
    await later;
  });
});
