// Finds or downloads the headers of CUDA's runtime, with which libkarlo_cuda is compiled.
import { join } from 'node:path';
import { cacheFolder } from '../../dist/lib/util/environment.js';
import { whyMissing } from './test-tools.mjs';
import { installWheel } from './wheel.mjs';

// The release that LibTorch's wheel requires. 2.4 MB.
const version = '13.0.96';
const requirements = [
  `nvidia-cuda-runtime==${version} --hash=sha256:7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548`,
  'nvidia-cuda-crt==13.0.88 --hash=sha256:2c8043c7c9e02492716426e9919fc78d2c5b3b2a7a768a88e952676b08aa55a4',
];

/**
 * @param {(line: string) => void} say receives why there are none
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<string | undefined>} the include folder; undefined if the addon is to be built without CUDA graphs
 */
export async function findCudaHeaders(say, env = process.env) {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  const folder = join(cacheFolder(env), `cuda-headers-${version}`);
  const include = join(folder, 'nvidia', 'cu13', 'include');
  const reason = await whyMissing(include, () =>
    installWheel(requirements.join('\n'), folder, env),
  );
  if (reason === undefined) return include;
  say(`Building without CUDA graphs: CUDA's headers are not installed, and ${reason}`);
  return undefined;
}
