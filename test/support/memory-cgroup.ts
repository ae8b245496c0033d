import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { cgroupFolders, readerOf } from '../../lib/util/cgroups.js';

/** A new cgroup of this process's, with a limit. The caller removes it when its processes have ended. */
export interface MemoryCgroup extends Disposable {
  /** A command line that runs in the cgroup, instead of `command`. */
  wrap(command: readonly string[]): readonly [string, ...string[]];
}

/** Creates a cgroup with this many bytes of memory; undefined if the system does not permit that. */
export function memoryCgroup(bytes: number): MemoryCgroup | undefined {
  const { v1, v2 } = cgroupFolders(readerOf('/'), 'memory');
  return (
    create(v1.at(-1), { 'memory.limit_in_bytes': bytes }) ??
    create(v2.at(-1), { 'memory.max': bytes, 'memory.swap.max': 0 })
  );
}

function create(
  parent: string | undefined,
  limits: Readonly<Record<string, number>>,
): MemoryCgroup | undefined {
  const folder = `${parent}/karlo-test-${process.pid}-${Date.now()}`;
  try {
    mkdirSync(folder);
  } catch {
    return undefined;
  }
  const remove = () => rmdirSync(folder);
  // With cgroup v2, a cgroup that contains processes cannot give its children the controller.
  if (!Object.keys(limits).every((name) => existsSync(`${folder}/${name}`))) {
    remove();
    return undefined;
  }
  for (const [name, bytes] of Object.entries(limits))
    writeFileSync(`${folder}/${name}`, `${bytes}`);
  return {
    wrap: (command) => [
      'sh',
      '-c',
      `echo $$ > ${folder}/cgroup.procs && exec "$@"`,
      'sh',
      ...command,
    ],
    [Symbol.dispose]: remove,
  };
}
