// Which LibTorch this package runs on, and the files that it comes from. Each file is pinned by its
// SHA-256; pip downloads it from the index that the user has configured.
import { cudaWheels } from './cuda-pins.js';
import type { Pin } from './pin.js';

export const LIBTORCH_VERSION = '2.11.0';

/** The build in the pinned torch wheels for Linux. */
export const pinnedBuild = `${LIBTORCH_VERSION}+cu130`;

const archives: Readonly<Record<string, string>> = {
  'linux-x64': `libtorch-shared-with-deps-${LIBTORCH_VERSION}%2Bcpu.zip`,
  'darwin-arm64': `libtorch-macos-arm64-${LIBTORCH_VERSION}.zip`,
  'win32-x64': `libtorch-win-shared-with-deps-${LIBTORCH_VERSION}%2Bcpu.zip`,
};

/** PyTorch's own LibTorch archive for a platform, for `karlo setup --archive`; undefined if there is none. */
export function officialArchive(target: string): string | undefined {
  const name = archives[target];
  return name && `https://download.pytorch.org/libtorch/cpu/${name}`;
}

/** This platform's key in `sources`: `linux-x64`. */
export const platform = `${process.platform}-${process.arch}`;

/** The npm package of a platform's CPU libraries. */
export const libtorchPackage = (target: string) => `@karlo/libtorch-${target}`;

/** LibTorch for CPUs only, or with its CUDA libraries. */
export type Variant = 'cpu' | 'cuda';

/** Where LibTorch for a platform comes from. */
export interface Source {
  readonly pins: readonly Pin[];
  readonly unpackedBytes: number;
  /** pip's names for the platform. */
  readonly pipPlatforms: readonly string[];
}

const notices = ['torch/version.py', `torch-${LIBTORCH_VERSION}.dist-info/`];

/**
 * A wheel of torch.
 * @param libraries files in its `lib`
 */
function torch(sha256: string, bytes: number, libraries: readonly string[]): Pin {
  const files = libraries.map((name) => `torch/lib/${name}`);
  const take = [...files, 'torch/include/', ...notices];
  return { requirement: `torch==${LIBTORCH_VERSION}`, sha256, bytes, take };
}

/** A wheel of one library of CUDA. */
function nvidia(requirement: string, sha256: string, bytes: number, library: string): Pin {
  return { requirement, sha256, bytes, take: [`nvidia/cu13/lib/${library}`] };
}

const onLinux = ['libc10.so', 'libtorch_cpu.so', 'libgomp.so.1'];
const forCuda = [
  'libc10_cuda.so',
  'libtorch_cuda.so',
  'libtorch_cuda_linalg.so',
  'libtorch_nvshmem.so',
];

const linuxX64 = (libraries: readonly string[]) =>
  torch('0f68f4ac6d95d12e896c3b7a912b5871619542ec54d3649cf48cc1edd4dd2756', 530_712_279, libraries);

// The torch wheels for Linux are CUDA builds: even their CPU library is linked to these two CUDA libraries.
const cudaRuntimeX64: readonly Pin[] = [
  nvidia(
    'nvidia-cuda-runtime==13.0.96',
    '7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548',
    2_243_632,
    'libcudart.so.13',
  ),
  nvidia(
    'nvidia-cuda-cupti==13.0.85',
    '4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8',
    10_715_597,
    'libcupti.so.13',
  ),
];
const cudaRuntimeArm64: readonly Pin[] = [
  nvidia(
    'nvidia-cuda-runtime==13.0.96',
    'ef9bcbe90493a2b9d810e43d249adb3d02e98dd30200d86607d8d02687c43f55',
    2_261_060,
    'libcudart.so.13',
  ),
  nvidia(
    'nvidia-cuda-cupti==13.0.85',
    '796bd679890ee55fb14a94629b698b6db54bcfd833d391d5e94017dd9d7d3151',
    10_310_827,
    'libcupti.so.13',
  ),
];

// Arm's compute library, and NVIDIA's BLAS and LAPACK for Arm.
const computeLibraries = [
  'libarm_compute.so',
  'libarm_compute_graph.so',
  'libnvpl_blas_core.so.0',
  'libnvpl_blas_lp64_gomp.so.0',
  'libnvpl_lapack_core.so.0',
  'libnvpl_lapack_lp64_gomp.so.0',
];

// Windows has the C runtime, but not the C++ runtime, which Visual Studio's redistributable installs.
const cppRuntime: Pin = {
  requirement: 'msvc-runtime==14.51.36231',
  sha256: '89f70d1a37bb64164cdb09d02dd82d6b1400e1310be2995b4ed5a9f23efe2222',
  bytes: 2_052_033,
  take: ['msvcp140', 'vcruntime140', 'vcruntime140_1'].map(
    (name) => `msvc_runtime-14.51.36231.data/data/Scripts/${name}.dll`,
  ),
};

/** The wheels to download, by platform and variant. */
export const sources: Readonly<Record<string, Partial<Record<Variant, Source>>>> = {
  'linux-x64': {
    cpu: {
      pins: [linuxX64(onLinux), ...cudaRuntimeX64],
      unpackedBytes: 500e6,
      pipPlatforms: manylinux('x86_64'),
    },
    cuda: {
      pins: [linuxX64([...onLinux, ...forCuda]), ...cudaRuntimeX64, ...cudaWheels],
      unpackedBytes: 4.5e9,
      pipPlatforms: manylinux('x86_64'),
    },
  },
  'linux-arm64': {
    cpu: {
      pins: [
        torch('f99924682ef0aa6a4ab3b1b76f40dc6e273fca09f367d15a524266db100a723f', 419_731_115, [
          ...onLinux,
          ...computeLibraries,
        ]),
        ...cudaRuntimeArm64,
      ],
      unpackedBytes: 340e6,
      pipPlatforms: manylinux('aarch64'),
    },
  },
  'darwin-arm64': {
    cpu: {
      pins: [
        torch('4b5866312ee6e52ea625cd211dcb97d6a2cdc1131a5f15cc0d87eec948f6dd34', 80_606_338, [
          'libc10.dylib',
          'libtorch_cpu.dylib',
          'libomp.dylib',
        ]),
      ],
      unpackedBytes: 260e6,
      pipPlatforms: ['macosx_11_0_arm64'],
    },
  },
  'win32-x64': {
    cpu: {
      pins: [
        torch('fbf39280699d1b869f55eac536deceaa1b60bd6788ba74f399cc67e60a5fab10', 114_556_047, [
          ...['c10.dll', 'torch_cpu.dll', 'libiomp5md.dll', 'uv.dll'],
          ...['c10.lib', 'torch_cpu.lib'], // to link the addon
        ]),
        cppRuntime,
      ],
      unpackedBytes: 340e6,
      pipPlatforms: ['win_amd64'],
    },
  },
};

/** All names down to the oldest glibc that counts: pip compares them by name, not by version. */
function manylinux(architecture: string): string[] {
  const floors = Array.from({ length: 12 }, (_, i) => `manylinux_2_${28 - i}`);
  const names = [...floors, 'manylinux2014', 'manylinux_2_12', 'manylinux2010'];
  return names.map((name) => `${name}_${architecture}`);
}
