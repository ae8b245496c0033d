import { describe, expect, test } from 'vitest';
import { repaintMoves } from '../../../lib/pipeline/samplers/repaint-moves.js';

/** The noise levels that the moves visit: the number of steps that are left. */
function levels(steps: number, settings: Parameters<typeof repaintMoves>[1]): number[] {
  let level = steps;
  return repaintMoves(steps, settings).map(({ index, back }) => {
    // A step starts, and a move back ends, at its own level.
    expect(index).toBe(back ? steps - level - 1 : steps - level);
    level += back ? 1 : -1;
    return level;
  });
}

describe('repaintMoves', () => {
  test('without resampling are the steps', () => {
    expect(levels(4, { jumpLength: 2, resamples: 1 })).toEqual([3, 2, 1, 0]);
  });

  test('go back by the jump length, and end clean', () => {
    expect(levels(5, { jumpLength: 2, resamples: 2 })).toEqual([
      4, 3, 4, 5, 4, 3, 2, 1, 2, 3, 2, 1, 0,
    ]);
  });

  test('with a jump length of 1 take each step but the last several times', () => {
    const moves = repaintMoves(4, { jumpLength: 1, resamples: 3 });
    const taken = [0, 1, 2, 3].map((i) => moves.filter((m) => !m.back && m.index === i).length);
    expect(taken).toEqual([3, 3, 3, 1]);
  });

  test('with a jump length of the whole schedule are the steps', () => {
    expect(levels(3, { jumpLength: 3, resamples: 5 })).toEqual([2, 1, 0]);
  });
});
