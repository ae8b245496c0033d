/**
 * A row of the table.
 * @typedef {object} Row
 * @property {string} group
 * @property {string} what
 * @property {Unit} unit
 * @property {number[]} ours all samples, possibly none
 * @property {number[]} [theirs]
 * @property {string} [target] the goal, for the table
 * @property {number} [limit] the goal as an upper limit of this package's value
 * @property {boolean} [extrapolated] computed from parts that were measured
 * @typedef {'s' | 'ms' | 'MB' | 'images per minute' | '×' | '/255' | 'relative'} Unit
 */

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (/** @type {number} */ i) => /** @type {number} */ (sorted[i]);
  const middle = (sorted.length - 1) / 2;
  return (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2;
}

/**
 * How many times better this package is: the reference's time or memory divided by this package's, or the
 * inverse for rates.
 * @param {Row} row
 */
export function ratio({ unit, ours, theirs = [] }) {
  if (ours.length === 0 || theirs.length === 0) return undefined;
  const quotient = median(theirs) / median(ours);
  return unit === 'images per minute' ? 1 / quotient : quotient;
}
