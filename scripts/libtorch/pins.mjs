// The one place that says which LibTorch, from which files. Each file is pinned by its SHA-256; pip
// brings it from the index that the user's own pip is set to.

export const LIBTORCH_VERSION = '2.11.0';

/** The build that the pinned wheel of torch holds. */
export const pinnedBuild = `${LIBTORCH_VERSION}+cu130`;

/** Where the project itself publishes LibTorch as a zip, for `karlo setup --archive`. */
export const officialArchive = `https://download.pytorch.org/libtorch/cpu/libtorch-shared-with-deps-${LIBTORCH_VERSION}%2Bcpu.zip`;

/**
 * A wheel, and the files that are taken from it: whole folders end in `/`.
 * @typedef {{ requirement: string, sha256: string, bytes: number, take: string[] }} Pin
 */

const torchWheel = {
  requirement: `torch==${LIBTORCH_VERSION}`,
  sha256: '0f68f4ac6d95d12e896c3b7a912b5871619542ec54d3649cf48cc1edd4dd2756',
  bytes: 530_712_279,
};

const notices = ['torch/version.py', 'torch-2.11.0.dist-info/licenses/'];
const cpuLibraries = ['libc10.so', 'libtorch_cpu.so', 'libgomp.so.1'];
const cudaLibraries = [
  'libc10_cuda.so',
  'libtorch_cuda.so',
  'libtorch_cuda_linalg.so',
  'libtorch_nvshmem.so',
];
const inTorch = (/** @type {string} */ name) => `torch/lib/${name}`;

/**
 * @param {string} requirement
 * @param {string} sha256
 * @param {number} bytes
 * @param {string[]} take
 * @returns {Pin}
 */
const nvidia = (requirement, sha256, bytes, take) => ({ requirement, sha256, bytes, take });

// The wheel is a CUDA build, so its CPU library too needs these two of CUDA's.
const cudaRuntime = nvidia(
  'nvidia-cuda-runtime==13.0.96',
  '7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548',
  2_243_632,
  ['nvidia/cu13/lib/libcudart.so.13'],
);
const cudaProfiling = nvidia(
  'nvidia-cuda-cupti==13.0.85',
  '4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8',
  10_715_597,
  ['nvidia/cu13/lib/libcupti.so.13'],
);

// What a CUDA run needs besides: torch's own requirements of CUDA 13.0.
const cudaWheels = [
  nvidia(
    'nvidia-cudnn-cu13==9.19.0.56',
    'd20e1734305e9d68889a96e3f35094d733ff1f83932ebe462753973e53a572bf',
    366_066_321,
    ['nvidia/cudnn/lib/'],
  ),
  nvidia(
    'nvidia-cusparselt-cu13==0.8.0',
    '25e30a8a7323935d4ad0340b95a0b69926eee755767e8e0b1cf8dd85b197d3fd',
    169_884_119,
    ['nvidia/cusparselt/lib/'],
  ),
  nvidia(
    'nvidia-nccl-cu13==2.28.9',
    'e4553a30f34195f3fa1da02a6da3d6337d28f2003943aa0a3d247bbc25fefc42',
    196_493_177,
    ['nvidia/nccl/lib/'],
  ),
  nvidia(
    'nvidia-nvshmem-cu13==3.4.5',
    '290f0a2ee94c9f3687a02502f3b9299a9f9fe826e6d0287ee18482e78d495b80',
    60_412_546,
    ['nvidia/nvshmem/lib/'],
  ),
  nvidia(
    'nvidia-cublas==13.1.0.3',
    'ee8722c1f0145ab246bccb9e452153b5e0515fd094c3678df50b2a0888b8b171',
    423_133_236,
    ['nvidia/cu13/lib/'],
  ),
  nvidia(
    'nvidia-cuda-nvrtc==13.0.88',
    'ad9b6d2ead2435f11cbb6868809d2adeeee302e9bb94bcf0539c7a40d80e8575',
    90_215_200,
    ['nvidia/cu13/lib/'],
  ),
  nvidia(
    'nvidia-cufft==12.0.0.61',
    '6c44f692dce8fd5ffd3e3df134b6cdb9c2f72d99cf40b62c32dde45eea9ddad3',
    214_085_489,
    ['nvidia/cu13/lib/'],
  ),
  nvidia(
    'nvidia-cufile==1.15.1.6',
    '08a3ecefae5a01c7f5117351c64f17c7c62efa5fffdbe24fc7d298da19cd0b44',
    1_223_672,
    ['nvidia/cu13/lib/'],
  ),
  nvidia(
    'nvidia-curand==10.4.0.35',
    '1aee33a5da6e1db083fe2b90082def8915f30f3248d5896bcec36a579d941bfc',
    59_544_258,
    ['nvidia/cu13/lib/'],
  ),
  nvidia(
    'nvidia-cusolver==12.0.4.66',
    '0a759da5dea5c0ea10fd307de75cdeb59e7ea4fcb8add0924859b944babf1112',
    200_941_980,
    ['nvidia/cu13/lib/'],
  ),
  nvidia(
    'nvidia-cusparse==12.6.3.3',
    '2b3c89c88d01ee0e477cb7f82ef60a11a4bcd57b6b87c33f789350b59759360b',
    145_942_937,
    ['nvidia/cu13/lib/'],
  ),
  nvidia(
    'nvidia-nvjitlink==13.0.88',
    '13a74f429e23b921c1109976abefacc69835f2f433ebd323d3946e11d804e47b',
    40_713_933,
    ['nvidia/cu13/lib/'],
  ),
];

/**
 * What to fetch for a platform (`linux-x64`) and a flavour.
 * @typedef {'cpu' | 'cuda'} Flavour
 * @typedef {{ pins: Pin[], unpackedBytes: number, pipPlatform: string[] }} Source
 * @type {Record<string, Partial<Record<Flavour, Source>>>}
 */
export const sources = {
  'linux-x64': {
    cpu: {
      pins: [
        { ...torchWheel, take: [...cpuLibraries.map(inTorch), 'torch/include/', ...notices] },
        cudaRuntime,
        cudaProfiling,
      ],
      unpackedBytes: 500e6,
      pipPlatform: manylinux('x86_64'),
    },
    cuda: {
      pins: [
        {
          ...torchWheel,
          take: [...[...cpuLibraries, ...cudaLibraries].map(inTorch), 'torch/include/', ...notices],
        },
        cudaRuntime,
        cudaProfiling,
        ...cudaWheels,
      ],
      unpackedBytes: 4.5e9,
      pipPlatform: manylinux('x86_64'),
    },
  },
};

/**
 * pip matches each glibc floor by name.
 * @param {string} architecture
 */
function manylinux(architecture) {
  const floors = Array.from({ length: 12 }, (_, i) => `manylinux_2_${28 - i}`);
  const names = [...floors, 'manylinux2014', 'manylinux_2_12', 'manylinux2010'];
  return names.map((name) => `${name}_${architecture}`);
}
