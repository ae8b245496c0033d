import type { RepaintSettings } from '../../options/resolve-stages.js';

/** A move between two noise levels: the step `index`, or back to the level from which it starts. */
export interface RepaintMove {
  readonly index: number;
  readonly back: boolean;
}

/**
 * The order of moves over so many steps: `get_schedule_jump` of the paper's program. A jump back leads from the
 * end of step k to the start of step k - `jumpLength` + 1.
 */
export function repaintMoves(
  steps: number,
  { jumpLength, resamples }: RepaintSettings,
): readonly RepaintMove[] {
  const jumps = new Map<number, number>();
  // Not from the image itself, which has no steps left (t > 1 in algorithm 1).
  for (let left = 1; left + jumpLength <= steps; left += jumpLength) jumps.set(left, resamples - 1);
  const moves: RepaintMove[] = [];
  let left = steps;
  while (left > 0) {
    moves.push({ index: steps - left, back: false });
    left -= 1;
    const rest = jumps.get(left) ?? 0;
    if (rest === 0) continue;
    jumps.set(left, rest - 1);
    for (let i = 0; i < jumpLength; i++) {
      left += 1;
      moves.push({ index: steps - left, back: true });
    }
  }
  return moves;
}
