// Which LibTorch this package runs on, and the files that it comes from. Each file is pinned by its
// SHA-256; pip downloads it from the index that the user has configured.

export const LIBTORCH_VERSION = '2.11.0';

/** The build in the pinned torch wheel. */
export const pinnedBuild = `${LIBTORCH_VERSION}+cu130`;

/** PyTorch's own LibTorch archive, for `karlo setup --archive`. */
export const officialArchive = `https://download.pytorch.org/libtorch/cpu/libtorch-shared-with-deps-${LIBTORCH_VERSION}%2Bcpu.zip`;

/** This platform's key in `sources`: `linux-x64`. */
export const platform = `${process.platform}-${process.arch}`;

/** LibTorch for CPUs only, or with its CUDA libraries. */
export type Variant = 'cpu' | 'cuda';

/** A Python wheel. */
export interface Pin {
  /** Its name and version, as pip takes them: `nvidia-cuda-runtime==13.0.96`. */
  readonly requirement: string;
  readonly sha256: string;
  readonly bytes: number;
  /** The files to unpack from it; a name that ends in `/` is a whole folder. */
  readonly take: readonly string[];
}

/** Where LibTorch for a platform comes from. */
export interface Source {
  readonly pins: readonly Pin[];
  readonly unpackedBytes: number;
  /** pip's names for the platform. */
  readonly pipPlatforms: readonly string[];
}

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
const inTorch = (name: string) => `torch/lib/${name}`;

// The torch wheel is a CUDA build: even its CPU library is linked to these two CUDA libraries.
const cudaRuntime: Pin = {
  requirement: 'nvidia-cuda-runtime==13.0.96',
  sha256: '7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548',
  bytes: 2_243_632,
  take: ['nvidia/cu13/lib/libcudart.so.13'],
};
const cudaProfiling: Pin = {
  requirement: 'nvidia-cuda-cupti==13.0.85',
  sha256: '4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8',
  bytes: 10_715_597,
  take: ['nvidia/cu13/lib/libcupti.so.13'],
};

// The wheels of CUDA 13.0 that the torch wheel requires.
const cudaWheels: readonly Pin[] = [
  {
    requirement: 'nvidia-cudnn-cu13==9.19.0.56',
    sha256: 'd20e1734305e9d68889a96e3f35094d733ff1f83932ebe462753973e53a572bf',
    bytes: 366_066_321,
    take: ['nvidia/cudnn/lib/'],
  },
  {
    requirement: 'nvidia-cusparselt-cu13==0.8.0',
    sha256: '25e30a8a7323935d4ad0340b95a0b69926eee755767e8e0b1cf8dd85b197d3fd',
    bytes: 169_884_119,
    take: ['nvidia/cusparselt/lib/'],
  },
  {
    requirement: 'nvidia-nccl-cu13==2.28.9',
    sha256: 'e4553a30f34195f3fa1da02a6da3d6337d28f2003943aa0a3d247bbc25fefc42',
    bytes: 196_493_177,
    take: ['nvidia/nccl/lib/'],
  },
  {
    requirement: 'nvidia-nvshmem-cu13==3.4.5',
    sha256: '290f0a2ee94c9f3687a02502f3b9299a9f9fe826e6d0287ee18482e78d495b80',
    bytes: 60_412_546,
    take: ['nvidia/nvshmem/lib/'],
  },
  {
    requirement: 'nvidia-cublas==13.1.0.3',
    sha256: 'ee8722c1f0145ab246bccb9e452153b5e0515fd094c3678df50b2a0888b8b171',
    bytes: 423_133_236,
    take: ['nvidia/cu13/lib/'],
  },
  {
    requirement: 'nvidia-cuda-nvrtc==13.0.88',
    sha256: 'ad9b6d2ead2435f11cbb6868809d2adeeee302e9bb94bcf0539c7a40d80e8575',
    bytes: 90_215_200,
    take: ['nvidia/cu13/lib/'],
  },
  {
    requirement: 'nvidia-cufft==12.0.0.61',
    sha256: '6c44f692dce8fd5ffd3e3df134b6cdb9c2f72d99cf40b62c32dde45eea9ddad3',
    bytes: 214_085_489,
    take: ['nvidia/cu13/lib/'],
  },
  {
    requirement: 'nvidia-cufile==1.15.1.6',
    sha256: '08a3ecefae5a01c7f5117351c64f17c7c62efa5fffdbe24fc7d298da19cd0b44',
    bytes: 1_223_672,
    take: ['nvidia/cu13/lib/'],
  },
  {
    requirement: 'nvidia-curand==10.4.0.35',
    sha256: '1aee33a5da6e1db083fe2b90082def8915f30f3248d5896bcec36a579d941bfc',
    bytes: 59_544_258,
    take: ['nvidia/cu13/lib/'],
  },
  {
    requirement: 'nvidia-cusolver==12.0.4.66',
    sha256: '0a759da5dea5c0ea10fd307de75cdeb59e7ea4fcb8add0924859b944babf1112',
    bytes: 200_941_980,
    take: ['nvidia/cu13/lib/'],
  },
  {
    requirement: 'nvidia-cusparse==12.6.3.3',
    sha256: '2b3c89c88d01ee0e477cb7f82ef60a11a4bcd57b6b87c33f789350b59759360b',
    bytes: 145_942_937,
    take: ['nvidia/cu13/lib/'],
  },
  {
    requirement: 'nvidia-nvjitlink==13.0.88',
    sha256: '13a74f429e23b921c1109976abefacc69835f2f433ebd323d3946e11d804e47b',
    bytes: 40_713_933,
    take: ['nvidia/cu13/lib/'],
  },
];

/** The wheels to download, by platform and variant. */
export const sources: Readonly<Record<string, Partial<Record<Variant, Source>>>> = {
  'linux-x64': {
    cpu: {
      pins: [
        { ...torchWheel, take: [...cpuLibraries.map(inTorch), 'torch/include/', ...notices] },
        cudaRuntime,
        cudaProfiling,
      ],
      unpackedBytes: 500e6,
      pipPlatforms: manylinux('x86_64'),
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
      pipPlatforms: manylinux('x86_64'),
    },
  },
};

/** All names down to the oldest glibc that counts: pip compares them by name, not by version. */
function manylinux(architecture: string): string[] {
  const floors = Array.from({ length: 12 }, (_, i) => `manylinux_2_${28 - i}`);
  const names = [...floors, 'manylinux2014', 'manylinux_2_12', 'manylinux2010'];
  return names.map((name) => `${name}_${architecture}`);
}
