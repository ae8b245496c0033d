// Where Linux describes the resources that the process may use (the man page cgroups(7)).
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

/** Returns the text of a file, or '' if it cannot be read. */
export type ReadText = (path: string) => string;

/** Reads files of the file system at `root`. */
export function readerOf(root: string): ReadText {
  return (path) => {
    try {
      return readFileSync(join(root, path), 'utf8');
    } catch {
      return '';
    }
  };
}

/** A mounted cgroup hierarchy. */
interface Mount {
  /** The cgroup that is mounted. */
  readonly root: string;
  readonly folder: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** The folders of the process's cgroup and of its ancestors, in each version of cgroups; none if it is not mounted. */
export interface CgroupFolders {
  readonly v1: readonly string[];
  readonly v2: readonly string[];
}

/**
 * Finds the folders of the process's cgroup and of its ancestors, as far as they are mounted. Both
 * versions may be mounted at once.
 * @param controller of cgroup v1: `cpu`, for example
 */
export function cgroupFolders(read: ReadText, controller: string): CgroupFolders {
  return {
    v1: foldersIn(
      read,
      controller,
      ({ type, options }) => type === 'cgroup' && options.includes(controller),
    ),
    v2: foldersIn(read, '', ({ type }) => type === 'cgroup2'),
  };
}

/** @param controller that the hierarchy has; '' for cgroup v2 */
function foldersIn(
  read: ReadText,
  controller: string,
  isMounted: (mount: Mount) => boolean,
): string[] {
  const path = cgroupOf(read('/proc/self/cgroup'), controller);
  const mount = mountsIn(read('/proc/self/mountinfo')).find(isMounted);
  if (path === undefined || mount === undefined) return [];
  const relative = posix.relative(mount.root, path).split('/').filter(Boolean);
  // If the path is elsewhere, as in some nested containers, the mounted cgroup is the best guess.
  const names = relative[0] === '..' ? [] : relative;
  return Array.from({ length: names.length + 1 }, (_, depth) =>
    posix.join(mount.folder, ...names.slice(0, depth)),
  );
}

/** The path of a cgroup in lines of "HIERARCHY:CONTROLLER,…:PATH" (the man page cgroups(7)). */
function cgroupOf(text: string, controller: string): string | undefined {
  const lines = text.split('\n').map((line) => /^\d+:([^:]*):(\/.*)$/.exec(line));
  return lines.find((line) => line?.[1]?.split(',').includes(controller))?.[2];
}

/**
 * The mounts in lines of "ID PARENT DEVICE ROOT FOLDER OPTIONS … - TYPE SOURCE SUPER-OPTIONS"
 * (Documentation/filesystems/proc.rst in Linux, section 3.5).
 */
function mountsIn(text: string): Mount[] {
  return text.split('\n').map((line) => {
    const [left = '', right = ''] = line.split(' - ');
    const [, , , root = '/', folder = '/'] = left.split(' ').map(unescapeOctal);
    const [type = '', , options = ''] = right.split(' ');
    return { root, folder, type, options: options.split(',') };
  });
}

/** Replaces escapes such as \040 for a space. */
function unescapeOctal(text: string): string {
  return text.replace(/\\(\d{3})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 8)));
}
