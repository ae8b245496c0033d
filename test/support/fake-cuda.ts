import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../build/test/fake_cuda', import.meta.url));

/**
 * The environment of a process with two fake CUDA devices, which compute on the CPU (test/native/fake_cuda);
 * undefined if they are not built, as on macOS and Windows. `FAKE_CUDA_DEVICES`, `FAKE_CUDA_MEMORY` (bytes)
 * and `FAKE_CUDA_REFUSE` change them.
 */
export const fakeCuda = existsSync(`${folder}/libtorch/lib/libtorch_cuda.so`)
  ? { KARLO_LIBTORCH: `${folder}/libtorch`, LD_LIBRARY_PATH: `${folder}/driver` }
  : undefined;
