// What a user is told when something native does not load: what it was, why, and the commands that
// mend it.
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type findLibTorch, isForeign } from '../../scripts/libtorch/index.mjs';
import { KarloError } from '../errors.js';

export type LibTorch = ReturnType<typeof findLibTorch>;

const platform = `${process.platform}-${process.arch}`;

/** What to do, and the command that does it. */
type WayOut = [what: string, command: string];

const buildHere: WayOut = ['build it here (CMake, a C++17 compiler)', 'npx karlo setup --build'];

/** What is known of a library that did not load. */
interface Failure {
  file: string;
  /** The system's own. */
  words: string;
  /** Where it is one of LibTorch's: which; else it is the addon. */
  libtorch: LibTorch | undefined;
}

interface Diagnosis {
  cause: string;
  waysOut: WayOut[];
}

/** Why a library cannot be opened: the first of these that recognises it answers. */
const diagnoses: ((failure: Failure) => Diagnosis | undefined)[] = [
  foreign,
  oldSystemLibrary,
  missingLibrary,
  otherBuild,
  damaged,
];

/** The error of a library that the system does not open. */
export function loadFailure(file: string, error: unknown, libtorch?: LibTorch): KarloError {
  const words = error instanceof Error ? error.message : String(error);
  const failure: Failure = { file, words, libtorch };
  const { cause, waysOut } = firstOf(failure) ?? {
    cause: 'The system says no more than that.',
    waysOut: reinstall(failure),
  };
  const what = libtorch ? `LibTorch in ${libtorch.folder}` : `The addon in ${file}`;
  const message = `${what} does not load on ${platform}: ${words}\n${cause}\n${list(waysOut)}`;
  return new KarloError('ERR_KARLO_NATIVE', message, { cause: error });
}

function firstOf(failure: Failure): Diagnosis | undefined {
  for (const diagnose of diagnoses) {
    const diagnosis = diagnose(failure);
    if (diagnosis) return diagnosis;
  }
  return undefined;
}

// The loader passes over a library of another processor, and then says that no file is there.
function foreign(failure: Failure): Diagnosis | undefined {
  const isOther = existsSync(failure.file) && isForeign(failure.file);
  if (!isOther && !/wrong ELF class|mach-o, but wrong arch|not a valid Win32/.test(failure.words)) {
    return undefined;
  }
  return {
    cause: `${basename(failure.file)} is built for another processor than this one (${process.arch}): was it installed on another machine?`,
    waysOut: reinstall(failure),
  };
}

function oldSystemLibrary(failure: Failure): Diagnosis | undefined {
  const [, library, needed] =
    /version [`'](GLIBC|GLIBCXX|CXXABI)_([\d.]+)'/.exec(failure.words) ?? [];
  if (library === undefined) return undefined;
  const build = failure.libtorch ? [] : [buildHere];
  if (library === 'GLIBC') {
    return {
      cause: `It needs glibc ${needed}, and this system has ${glibcVersion() ?? 'none'}.`,
      waysOut: [
        ['use a system with glibc 2.28 or newer', 'Debian 10, Ubuntu 20.04, RHEL 8 or later'],
        ...build,
      ],
    };
  }
  return {
    cause: `It needs ${library}_${needed} of libstdc++, and this system's is older.`,
    waysOut: [['update libstdc++ (Debian, Ubuntu)', 'apt-get install libstdc++6'], ...build],
  };
}

// Libraries that a LibTorch folder brings itself.
const partOfLibTorch = /^lib(?:c10|torch|gomp|cu|nv|caffe2)/;

function missingLibrary(failure: Failure): Diagnosis | undefined {
  const [, name] = /(\S+): cannot open shared object file: No such/.exec(failure.words) ?? [];
  if (name === undefined || name === failure.file) return undefined;
  if (partOfLibTorch.test(name)) {
    return { cause: `LibTorch's ${name} is missing.`, waysOut: reinstall(failure) };
  }
  return {
    cause: `The system's library ${name} is missing.`,
    waysOut: [['find its package (Debian, Ubuntu)', `apt-file update && apt-file search ${name}`]],
  };
}

function otherBuild(failure: Failure): Diagnosis | undefined {
  if (!/undefined symbol|Symbol not found/.test(failure.words)) return undefined;
  return {
    cause:
      'The LibTorch that was found is another build than the one for which the addon was made.',
    waysOut: [...reinstall(failure), buildHere],
  };
}

function damaged(failure: Failure): Diagnosis | undefined {
  if (!/invalid ELF|file too short|ELF (?:load|file)|cannot read file data/.test(failure.words)) {
    return undefined;
  }
  return { cause: `${basename(failure.file)} is damaged.`, waysOut: reinstall(failure) };
}

function reinstall({ libtorch }: Failure): WayOut[] {
  if (libtorch === undefined) {
    return [['install the package anew, on this machine', 'npm install --force karlo'], buildHere];
  }
  const remove = `rm -rf ${quoted(libtorch.folder)}`;
  switch (libtorch.source) {
    case 'KARLO_LIBTORCH':
      return [['let karlo find its own', 'unset KARLO_LIBTORCH && npx karlo setup']];
    case 'package':
      return [['install it anew, on this machine', `${remove} && npm install`]];
    case 'python':
      return [
        [
          "install Python's anew",
          `python3 -m pip install --force-reinstall torch==${libtorch.version}`,
        ],
      ];
    default:
      return [['fetch it anew, on this machine', `${remove} && npx karlo setup`]];
  }
}

/** The error of a platform for which the package holds no addon, and none was built. */
export function noAddon(root: string, cause: unknown): KarloError {
  const known = prebuilt(root);
  const has = known.length > 0 ? `; it has: ${known.join(', ')}` : '';
  const libc = process.platform === 'linux' && glibcVersion() === undefined ? ' with musl' : '';
  const message = `karlo has no addon for ${platform}${libc} in ${root}${has}`;
  const isCheckout = existsSync(join(root, 'lib', 'index.ts'));
  const build: WayOut = isCheckout ? ['build it in this checkout', 'npm run build'] : buildHere;
  const other: WayOut = [
    'use a system with glibc, which LibTorch needs',
    'node:22-slim, not node:22-alpine',
  ];
  const waysOut = [libc ? other : build];
  return new KarloError('ERR_KARLO_ADDON_MISSING', `${message}\n${list(waysOut)}`, { cause });
}

function prebuilt(root: string): string[] {
  const folder = join(root, 'prebuilds');
  return existsSync(folder) ? readdirSync(folder) : [];
}

function glibcVersion(): string | undefined {
  // excludeNetwork: the report would look up the names of the process's peers.
  const { report } = process as unknown as {
    report: {
      excludeNetwork: boolean;
      getReport(): { header: { glibcVersionRuntime?: string } };
    };
  };
  report.excludeNetwork = true;
  return report.getReport().header.glibcVersionRuntime;
}

function list(waysOut: WayOut[]): string {
  return ['Ways out:', ...waysOut.map(([what, command]) => `  ${what}: ${command}`)].join('\n');
}

function quoted(path: string): string {
  return /^[\w/.@+-]+$/.test(path) ? path : `'${path}'`;
}
