import { platform } from './paths.mjs';
import { LIBTORCH_VERSION, officialArchive, sources } from './pins.mjs';

/** A failure to find or fetch LibTorch: what was tried, and the ways out. */
export class SetupError extends Error {
  /** @override */
  name = 'SetupError';

  /**
   * @param {'ERR_KARLO_LIBTORCH_MISSING' | 'ERR_KARLO_LIBTORCH_VERSION' | 'ERR_KARLO_SETUP'} code
   * @param {string} message
   * @param {{ cause?: unknown, tried?: string[] }} [options]
   */
  constructor(code, message, options) {
    super(message, options);
    this.code = code;
    /** Places, each with the reason why it did not serve. */
    this.tried = options?.tried ?? [];
  }
}

const elsewhere = `  from an installed Python torch: python3 -m pip install torch==${LIBTORCH_VERSION}
  from a folder of your own:      export KARLO_LIBTORCH=/path/to/libtorch`;

const wherePinned = `  fetch it by pip (530 MB, once): npx karlo setup
  as an npm package:              npm install @karlo/libtorch-${platform}@${LIBTORCH_VERSION}
  from a file of your own:        curl -L -o libtorch.zip ${officialArchive}
                                  npx karlo setup --archive libtorch.zip
`;

/** Ways to come by LibTorch on this platform, each a command to paste. */
export const waysOut = `Ways out:\n${sources[platform] ? wherePinned : ''}${elsewhere}`;

/**
 * @param {string} reason
 * @param {string[]} [tried] places, each with the reason why it did not serve
 * @param {{ cause?: unknown }} [options]
 */
export function missing(reason, tried = [], options) {
  const places = tried.map((line) => `\n  - ${line}`).join('');
  const looked = tried.length > 0 ? `\nLooked in:${places}` : '';
  return new SetupError('ERR_KARLO_LIBTORCH_MISSING', `${reason}${looked}\n${waysOut}`, {
    ...options,
    tried,
  });
}

/**
 * A set-up that cannot be done so.
 * @param {string} reason
 */
export function refused(reason) {
  return new SetupError('ERR_KARLO_SETUP', `${reason}\n${waysOut}`);
}

/**
 * @param {string} place
 * @param {string} found
 */
export function wrongVersion(place, found) {
  return new SetupError(
    'ERR_KARLO_LIBTORCH_VERSION',
    `Expected LibTorch ${LIBTORCH_VERSION} in ${place} but it holds ${found}\n${waysOut}`,
  );
}

/**
 * An error of the system (a full disk, a folder that may not be written) with what to do about it;
 * any other error as it is.
 * @param {unknown} error
 * @param {string} cache
 */
export function asSetupError(error, cache) {
  if (!(error instanceof Error) || !('syscall' in error)) return error;
  const message = `Setting up LibTorch in ${cache} failed: ${error.message}. Take another folder with: export KARLO_CACHE=/path/with/space`;
  return new SetupError('ERR_KARLO_SETUP', message, { cause: error });
}
