/**
 * The samples of one value in the responses: `{ ours }`, or `{ ours, theirs }`.
 * @param {Partial<Record<'ours' | 'theirs', Record<string, number>[]>>} answers
 * @param {string} key
 * @param {(value: number) => number} [convert]
 * @returns {{ ours: number[], theirs?: number[] }}
 */
export function samples({ ours = [], theirs }, key, convert = (value) => value) {
  const of = (/** @type {Record<string, number>[]} */ list) =>
    list.map((answer) => convert(Number(answer[key])));
  return { ours: of(ours), ...(theirs && { theirs: of(theirs) }) };
}

/** @param {number} seconds */
export const toMilliseconds = (seconds) => seconds * 1000;

/** @param {number} bytes */
export const toMegabytes = (bytes) => bytes / 1e6;
