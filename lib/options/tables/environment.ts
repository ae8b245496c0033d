/** What a group of environment variables is for, in the order of the reference. */
export const variableGroups = {
  package: 'The package',
  download: 'Downloads',
  server: 'The server',
  results: 'Results in S3',
  threads: 'Threads and kernels',
  development: 'Development',
} as const;

export interface EnvironmentVariable {
  readonly group: keyof typeof variableGroups;
  /** What it sets, as a fragment. */
  readonly description: string;
  /** What applies if it is not set. */
  readonly defaultLabel: string;
}

/** Every environment variable that the package reads. */
export const environmentVariables = {
  KARLO_MODEL: {
    group: 'package',
    description: 'model of the shared instance: a name or a folder',
    defaultLabel: '`karlo-tiny`',
  },
  KARLO_CACHE: {
    group: 'package',
    description: 'cache folder, which contains LibTorch and the model store',
    defaultLabel: "the system's, such as `~/.cache/karlo`",
  },
  KARLO_LIBTORCH: {
    group: 'package',
    description: 'folder of an existing LibTorch 2.11.0, which is used instead of any other',
    defaultLabel: 'searched, see [discovery](../guide/libtorch.md#discovery)',
  },
  KARLO_OFFLINE: {
    group: 'download',
    description: '`1` forbids all downloads',
    defaultLabel: 'downloads are allowed',
  },
  HF_HUB_OFFLINE: {
    group: 'download',
    description: "`1` forbids downloads of models, as for Hugging Face's programs",
    defaultLabel: 'downloads are allowed',
  },
  HF_TOKEN: {
    group: 'download',
    description: 'access token for gated and private repositories',
    defaultLabel: 'the token of `hf auth login`',
  },
  HF_TOKEN_PATH: {
    group: 'download',
    description: 'file of the token of `hf auth login`',
    defaultLabel: '`token` in `HF_HOME`',
  },
  HF_HOME: {
    group: 'download',
    description: "folder of Hugging Face's programs, which contains the token",
    defaultLabel: '`huggingface` in `XDG_CACHE_HOME`, or in `~/.cache`',
  },
  HF_ENDPOINT: {
    group: 'download',
    description: 'URL of another hub, such as a mirror',
    defaultLabel: '`https://huggingface.co`',
  },
  KARLO_KAKAO_URL: {
    group: 'download',
    description: "URL of a folder with Kakao Brain's five files",
    defaultLabel: "Kakao Brain's",
  },
  HTTPS_PROXY: {
    group: 'download',
    description: 'proxy for `https:`, also in lower case; used for S3 as well',
    defaultLabel: '`HTTP_PROXY`',
  },
  HTTP_PROXY: {
    group: 'download',
    description: 'proxy for `http:`, also in lower case',
    defaultLabel: 'none',
  },
  NO_PROXY: {
    group: 'download',
    description: 'hosts that are reached without a proxy, separated by commas',
    defaultLabel: 'this machine',
  },
  KARLO_API_KEYS: {
    group: 'server',
    description: 'API keys of at least 16 characters, separated by commas',
    defaultLabel: 'none, for local clients only',
  },
  KARLO_QUEUE: {
    group: 'server',
    description: 'the URL of `--queue`; safer than the flag for a URL with a password',
    defaultLabel: 'none',
  },
  AWS_ACCESS_KEY_ID: {
    group: 'results',
    description: 'access key for `--results s3://…`',
    defaultLabel: 'required with S3',
  },
  AWS_SECRET_ACCESS_KEY: {
    group: 'results',
    description: 'secret of the access key',
    defaultLabel: 'required with S3',
  },
  AWS_SESSION_TOKEN: {
    group: 'results',
    description: 'token of temporary credentials',
    defaultLabel: 'none',
  },
  AWS_REGION: {
    group: 'results',
    description: 'region of the bucket',
    defaultLabel: '`us-east-1`',
  },
  AWS_ENDPOINT_URL: {
    group: 'results',
    description: 'URL of another S3-compatible server; `AWS_ENDPOINT_URL_S3` takes precedence',
    defaultLabel: "Amazon's",
  },
  OMP_NUM_THREADS: {
    group: 'threads',
    description: 'number of compute threads, unless the option `threads` is set',
    defaultLabel: 'one per processor that the process may use',
  },
  OMP_WAIT_POLICY: {
    group: 'threads',
    description: "how OpenMP's threads wait: see [threads](../guide/performance.md#threads)",
    defaultLabel: 'they spin briefly',
  },
  GOMP_SPINCOUNT: {
    group: 'threads',
    description: "how long OpenMP's threads spin before they sleep",
    defaultLabel: '`1000`',
  },
  KARLO_CPU_CAPABILITY: {
    group: 'threads',
    description:
      "`base`, `avx2`, `avx512` or `avx512_bf16`, on Arm `base`, `neon` or `neon_bf16`: limits the package's kernels to an instruction set. `ATEN_CPU_CAPABILITY` does the same for LibTorch's",
    defaultLabel: 'the best that the processor has',
  },
  KARLO_CUDA_KERNELS: {
    group: 'threads',
    description:
      "`0` composes LibTorch's operators on GPUs, without the package's [kernels](../guide/cuda.md#kernels-compiled-at-run-time)",
    defaultLabel: 'kernels are compiled on first use',
  },
  KARLO_CUDA_GRAPHS: {
    group: 'threads',
    description: '`0` runs each step without [CUDA graphs](../guide/cuda.md#cuda-graphs)',
    defaultLabel: 'graphs are recorded',
  },
  KARLO_PREBUILD: {
    group: 'development',
    description: 'folder of another build of the addon',
    defaultLabel: "the package's own",
  },
  CXX: {
    group: 'development',
    description: 'C++ compiler for `karlo setup --build`',
    defaultLabel: '`c++`, `g++` or `clang++`',
  },
} as const satisfies Record<string, EnvironmentVariable>;
