import { expect, test } from 'vitest';
import type { ComponentName, Networks } from '../../lib/networks/registry.js';
import { type LoadNetwork, Resident, Staged } from '../../lib/networks/residency.js';

/** Loads fake networks, and logs what is loaded and disposed. `broken` fails to load. */
function fakeLoader(broken?: ComponentName) {
  const log: string[] = [];
  const load = async (name: ComponentName) => {
    if (name === broken) throw new Error(`cannot load ${name}`);
    log.push(`+${name}`);
    return { [Symbol.dispose]: () => log.push(`-${name}`) } as unknown as Networks[typeof name];
  };
  return { log, load: load as LoadNetwork };
}

test('resident networks are loaded once and freed together', async () => {
  const { log, load } = fakeLoader();
  const residency = await Resident.load(['prior', 'decoder'], load);
  await using lease = await residency.lease('prior');
  expect(Object.keys(lease)).toEqual(['prior']);
  expect(log).toEqual(['+prior', '+decoder']);
  await residency.dispose();
  await residency.dispose();
  expect(log.slice(2)).toEqual(['-prior', '-decoder']);
});

test('a failed load frees the networks that were loaded before it', async () => {
  const { log, load } = fakeLoader('decoder');
  await expect(Resident.load(['prior', 'decoder'], load)).rejects.toThrow('cannot load decoder');
  expect(log).toEqual(['+prior', '-prior']);
});

test('a staged lease waits for the previous one, then frees what it does not need', async () => {
  const { log, load } = fakeLoader();
  const residency = new Staged(load);
  const first = await residency.lease('text_encoder', 'prior');
  const second = residency.lease('prior', 'decoder');
  await new Promise(setImmediate);
  expect(log).toEqual(['+text_encoder', '+prior']);
  await first[Symbol.asyncDispose]();
  await (await second)[Symbol.asyncDispose]();
  expect(log.slice(2)).toEqual(['-text_encoder', '+decoder']);
  await residency.dispose();
  expect(log.slice(4)).toEqual(['-prior', '-decoder']);
});

test('a failed staged lease does not block the next one', async () => {
  const { log, load } = fakeLoader('decoder');
  const residency = new Staged(load);
  await expect(residency.lease('decoder')).rejects.toThrow('cannot load decoder');
  await using _lease = await residency.lease('prior');
  expect(log).toEqual(['+prior']);
});
