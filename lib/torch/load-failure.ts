// Error messages for native libraries that fail to load: what failed, why, and the commands that fix it.
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { KarloError } from '../errors.js';
import { isForeign, type LibTorch } from '../libtorch/folder.js';
import { processReport } from '../util/process-report.js';

const platform = `${process.platform}-${process.arch}`;

/** A fix: what to do, and the command for it. */
type Fix = [what: string, command: string];

const buildHere: Fix = [
  'build the addon (needs CMake and a C++17 compiler)',
  'npx karlo setup --build',
];

/** A library that failed to load. */
interface Failure {
  file: string;
  /** The system's error message. */
  message: string;
  /** The LibTorch that the library belongs to; undefined for the addon. */
  libtorch: LibTorch | undefined;
}

interface Diagnosis {
  cause: string;
  fixes: Fix[];
}

/** The first one that recognises the failure explains it. */
const diagnoses: ((failure: Failure) => Diagnosis | undefined)[] = [
  foreign,
  oldSystemLibrary,
  missingLibrary,
  otherBuild,
  damaged,
];

/** The error for a library that the system cannot open. */
export function loadFailure(file: string, error: unknown, libtorch?: LibTorch): KarloError {
  const reason = error instanceof Error ? error.message : String(error);
  const failure: Failure = { file, message: reason, libtorch };
  const { cause, fixes } = firstOf(failure) ?? {
    cause: 'The system gives no further reason.',
    fixes: reinstall(failure),
  };
  const what = libtorch ? `LibTorch in ${libtorch.folder}` : `The addon in ${file}`;
  const message = `${what} does not load on ${platform}: ${reason}\n${cause}\n${list(fixes)}`;
  return new KarloError('ERR_KARLO_NATIVE', message, { cause: error });
}

function firstOf(failure: Failure): Diagnosis | undefined {
  for (const diagnose of diagnoses) {
    const diagnosis = diagnose(failure);
    if (diagnosis) return diagnosis;
  }
  return undefined;
}

// The system's loader skips a library built for another processor and then reports a missing file.
function foreign(failure: Failure): Diagnosis | undefined {
  const isOther = existsSync(failure.file) && isForeign(failure.file);
  if (
    !isOther &&
    !/wrong ELF class|mach-o, but wrong arch|not a valid Win32/.test(failure.message)
  ) {
    return undefined;
  }
  return {
    cause: `${basename(failure.file)} is built for a different processor than this one (${process.arch}). Was it installed on another machine?`,
    fixes: reinstall(failure),
  };
}

function oldSystemLibrary(failure: Failure): Diagnosis | undefined {
  const [, library, needed] =
    /version [`'](GLIBC|GLIBCXX|CXXABI)_([\d.]+)'/.exec(failure.message) ?? [];
  if (library === undefined) return undefined;
  const build = failure.libtorch ? [] : [buildHere];
  if (library === 'GLIBC') {
    return {
      cause: `It needs glibc ${needed}, but this system has ${glibcVersion() ?? 'none'}.`,
      fixes: [
        ['use a system with glibc 2.28 or newer', 'Debian 10, Ubuntu 20.04, RHEL 8 or later'],
        ...build,
      ],
    };
  }
  return {
    cause: `It needs ${library}_${needed} from libstdc++, but this system's version is older.`,
    fixes: [['update libstdc++ (Debian, Ubuntu)', 'apt-get install libstdc++6'], ...build],
  };
}

// Libraries that are part of a LibTorch folder.
const partOfLibTorch = /^lib(?:c10|torch|gomp|cu|nv|caffe2)/;

function missingLibrary(failure: Failure): Diagnosis | undefined {
  const [, name] = /(\S+): cannot open shared object file: No such/.exec(failure.message) ?? [];
  if (name === undefined || name === failure.file) return undefined;
  if (partOfLibTorch.test(name)) {
    return { cause: `LibTorch's ${name} is missing.`, fixes: reinstall(failure) };
  }
  return {
    cause: `The system library ${name} is missing.`,
    fixes: [
      [
        'find the package that contains it (Debian, Ubuntu)',
        `apt-file update && apt-file search ${name}`,
      ],
    ],
  };
}

function otherBuild(failure: Failure): Diagnosis | undefined {
  if (!/undefined symbol|Symbol not found/.test(failure.message)) return undefined;
  return {
    cause:
      'The LibTorch that was found is a different build from the one that the addon was built for.',
    fixes: [...reinstall(failure), buildHere],
  };
}

function damaged(failure: Failure): Diagnosis | undefined {
  if (!/invalid ELF|file too short|ELF (?:load|file)|cannot read file data/.test(failure.message)) {
    return undefined;
  }
  return { cause: `${basename(failure.file)} is damaged.`, fixes: reinstall(failure) };
}

function reinstall({ libtorch }: Failure): Fix[] {
  if (libtorch === undefined) {
    return [['reinstall the package on this machine', 'npm install --force karlo'], buildHere];
  }
  const remove = `rm -rf ${quoted(libtorch.folder)}`;
  switch (libtorch.source) {
    case 'KARLO_LIBTORCH':
      return [['let karlo find LibTorch itself', 'unset KARLO_LIBTORCH && npx karlo setup']];
    case 'package':
      return [['reinstall it on this machine', `${remove} && npm install`]];
    case 'python':
      return [
        [
          "reinstall Python's torch",
          `python3 -m pip install --force-reinstall torch==${libtorch.version}`,
        ],
      ];
    default:
      return [['fetch it again on this machine', `${remove} && npx karlo setup`]];
  }
}

/** The error for a platform for which the package contains no addon and none has been built. */
export function noAddon(root: string, cause: unknown): KarloError {
  const known = prebuilt(root);
  const has = known.length > 0 ? ` (found: ${known.join(', ')})` : '';
  const message = `karlo has no addon for ${platform} in ${root}${has}`;
  const isCheckout = existsSync(join(root, 'lib', 'index.ts'));
  const build: Fix = isCheckout ? ['build it in this checkout', 'npm run build'] : buildHere;
  return new KarloError('ERR_KARLO_ADDON_MISSING', `${message}\n${list([build])}`, { cause });
}

function prebuilt(root: string): string[] {
  const folder = join(root, 'prebuilds');
  return existsSync(folder) ? readdirSync(folder) : [];
}

function glibcVersion(): string | undefined {
  return processReport().header.glibcVersionRuntime;
}

function list(fixes: Fix[]): string {
  return ['To fix this:', ...fixes.map(([what, command]) => `  ${what}: ${command}`)].join('\n');
}

function quoted(path: string): string {
  return /^[\w/.@+-]+$/.test(path) ? path : `'${path}'`;
}
