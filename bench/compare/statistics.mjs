/**
 * A line of the table.
 * @typedef {object} Row
 * @property {string} group
 * @property {string} what
 * @property {Unit} unit
 * @property {number[]} ours every sample, or none
 * @property {number[]} [theirs]
 * @property {string} [target] what is wanted
 * @property {number} [limit] the same, where ours may not be larger
 * @property {boolean} [extrapolated] computed from parts that were measured
 * @typedef {'s' | 'ms' | 'MB' | 'pictures a minute' | '×' | '/255'} Unit
 */

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (/** @type {number} */ i) => /** @type {number} */ (sorted[i]);
  const middle = (sorted.length - 1) / 2;
  return (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2;
}

/**
 * How many times better ours is: the reference's time, or memory, over ours; pictures a minute the
 * other way round.
 * @param {Row} row
 */
export function ratio({ unit, ours, theirs = [] }) {
  if (ours.length === 0 || theirs.length === 0) return undefined;
  const quotient = median(theirs) / median(ours);
  return unit === 'pictures a minute' ? 1 / quotient : quotient;
}
