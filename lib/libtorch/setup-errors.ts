import { KarloError } from '../errors.js';
import { useAnotherCache } from '../util/environment.js';
import { isSystemError } from '../util/file-errors.js';
import { LIBTORCH_VERSION, libtorchPackage, officialArchive, platform, sources } from './pins.js';

const fixes = `To fix this, do one of the following:
${pinnedFixes(platform)}  install Python's torch:               python3 -m pip install torch==${LIBTORCH_VERSION}
  use a LibTorch folder of your own:    export KARLO_LIBTORCH=/path/to/libtorch`;

/** What to do on a platform with pinned files, one step a line. */
function pinnedFixes(target: string): string {
  const source = sources[target]?.cpu;
  if (source === undefined) return '';
  const megabytes = source.pins.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6;
  const size = `${Math.round(megabytes / 10) * 10} MB`;
  return `  install its npm package, which --omit=optional leaves out:
                                        npm install ${libtorchPackage(target)}@${LIBTORCH_VERSION}
${`  download it with pip (${size}, once):`.padEnd(40)}npx karlo setup
${archiveFix(target)}`;
}

function archiveFix(target: string): string {
  const archive = officialArchive(target);
  if (archive === undefined) return '';
  return `  use an archive that you downloaded:   curl -L -o libtorch.zip ${archive}
                                        npx karlo setup --archive libtorch.zip
`;
}

/**
 * LibTorch is not installed, or cannot be downloaded.
 * @param tried the places that were searched, each with the reason why it cannot be used
 */
export function libtorchMissing(reason: string, tried: readonly string[] = []): KarloError {
  const places = tried.map((line) => `\n  - ${line}`).join('');
  const searched = tried.length > 0 ? `\nSearched:${places}` : '';
  return new KarloError('ERR_KARLO_LIBTORCH_MISSING', `${reason}${searched}\n${fixes}`);
}

/** LibTorch cannot be set up as requested. */
export function setupRefused(reason: string): KarloError {
  return new KarloError('ERR_KARLO_SETUP', `${reason}\n${fixes}`);
}

export function wrongVersion(place: string, found: string): KarloError {
  const message = `Expected LibTorch ${LIBTORCH_VERSION} in ${place} but found ${found}`;
  return new KarloError('ERR_KARLO_LIBTORCH_VERSION', `${message}\n${fixes}`);
}

/** Turns an error of the operating system into an `ERR_KARLO_SETUP`. Returns any other error unchanged. */
export function asSetupError(error: unknown, cache: string): unknown {
  if (!isSystemError(error)) return error;
  const message = `Setting up LibTorch in ${cache} failed: ${error.message}. ${useAnotherCache}`;
  return new KarloError('ERR_KARLO_SETUP', message, { cause: error });
}
