import { residencyModes, unsafeActions, weightDtypes } from '../choices.js';
import type { OptionTable } from '../kinds.js';

/** Options of `Karlo.load`. */
export const loadOptions = {
  model: {
    kind: 'text',
    default: 'karlo-tiny',
    description: 'model to load: karlo-tiny, a pulled model, or a model folder',
    details: 'The layout of a folder is detected automatically.',
  },
  device: {
    kind: 'device',
    default: 'auto',
    description: 'device to run on: auto, cpu, cuda, cuda:N or mps',
    details:
      '`auto` is the first CUDA device, or the CPU if there is none; only `auto` falls back to the CPU. `mps` is the GPU of Apple silicon.',
  },
  dtype: {
    kind: 'choice',
    choices: ['auto', ...weightDtypes],
    default: 'auto',
    description: 'dtype of the weights',
    details:
      '`auto` is bfloat16 on CUDA and on MPS (float32 before macOS 14). On the CPU it is the faster of float32 and bfloat16, which is measured when a model of this size is first loaded, and cached. `float16` requires a GPU.',
  },
  threads: {
    kind: 'integer',
    range: [1, 1024],
    defaultLabel: '`OMP_NUM_THREADS`, or the number of available processors',
    description: 'number of compute threads',
    details: "A CPU affinity and a cgroup's CPU quota limit the available processors.",
  },
  residency: {
    kind: 'choice',
    choices: residencyModes,
    defaultLabel: '`resident`, or `staged` if the available memory or a budget requires it',
    description:
      'whether all weights stay in memory (resident) or only those of the current stage (staged)',
    details: '`staged` needs less memory, and loads the weights again for every batch.',
  },
  memoryBudget: {
    kind: 'bytes',
    defaultLabel: 'the available memory',
    description: 'memory for weights and activations, in bytes',
    details:
      'Determines `residency`, unless it is set, and the largest batch. On the command line, units are accepted: `4G` or `4GB` (10^9 bytes each), `4Gi` or `4GiB` (2^30 bytes each).',
  },
  trustGraphs: {
    kind: 'boolean',
    default: false,
    description: 'whether to run the graphs of a folder that an older version converted',
    details:
      'Graphs are programs, which can read and write files. Other folders contain none. Converting such a folder again does not run its graphs.',
  },
  safety: {
    kind: 'check',
    loads: true,
    defaultLabel: 'none',
    description: 'safety checker of all images: a pulled one, or a folder',
    details:
      'In a program, also a `SafetyChecker`, or a function that returns a verdict on each image.',
  },
  onUnsafe: {
    kind: 'choice',
    choices: unsafeActions,
    default: 'blur',
    description: 'what happens to images that the safety check finds unsafe',
    details:
      '`error` ends the call, `blur` leaves no more than a few colours, `black` leaves nothing, and `keep` only reports the verdict.',
  },
  promptFilter: {
    kind: 'callback',
    description: 'function that returns whether a prompt is allowed',
  },
  onProgress: {
    kind: 'callback',
    description: 'function that is called as weights are read, with `{ component, bytes }`',
  },
  signal: {
    kind: 'signal',
    description: 'signal that aborts loading',
  },
} as const satisfies OptionTable;

const { device, threads, signal } = loadOptions;

/** Options of `SafetyChecker.load`. */
export const safetyCheckerOptions = {
  device,
  dtype: {
    kind: 'choice',
    choices: weightDtypes,
    default: 'float32',
    description: 'dtype of the weights',
    details:
      'With `float32`, verdicts are those of the reference. `bfloat16` takes half the memory. `float16` requires a GPU.',
  },
  threads,
  signal,
} as const satisfies OptionTable;
