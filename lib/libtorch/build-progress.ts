/** How far a build is. `total` is 0 before the first file. */
export interface BuildProgress {
  readonly done: number;
  readonly total: number;
  /** make reports no number of files. */
  readonly unit: 'files' | '%';
}

/** The progress that a line of CMake's output reports: `[12/57] Building …` of Ninja, `[ 21%] Building …` of make. */
export function progressIn(line: string): BuildProgress | undefined {
  const [, done, total] = /^\[\s*(\d+)(?:\/(\d+)|%)\] (?:Building|Linking) /.exec(line) ?? [];
  if (done === undefined) return undefined;
  return total === undefined
    ? { done: Number(done), total: 100, unit: '%' }
    : { done: Number(done), total: Number(total), unit: 'files' };
}
