import { describe, expect, test } from 'vitest';
import { type RepaintMove, repaintMoves } from '../../lib/pipeline/samplers/repaint-moves.js';

/** Moves between x_t, as the paper numbers them: x_T is noise, x_0 the image. */
type Move = readonly [from: number, to: number];

/**
 * Algorithm 1 of RePaint (Lugmayr et al. 2022). At t = 1, its inner loop only overwrites x_0, so that one iteration is
 * left of it.
 */
function algorithm1(steps: number, resamples: number): Move[] {
  const moves: Move[] = [];
  for (let t = steps; t >= 1; t--) {
    for (let u = 1; u <= (t > 1 ? resamples : 1); u++) {
      moves.push([t, t - 1]);
      if (u < resamples && t > 1) moves.push([t - 1, t]);
    }
  }
  return moves;
}

/** The same with jumps over several steps (section 4.2): from x_1, and from each x that is whole jumps above it. */
function withJumps(steps: number, jumpLength: number, resamples: number): Move[] {
  const moves: Move[] = [];
  const walk = (from: number, to: number) => {
    const direction = Math.sign(to - from);
    for (let t = from; t !== to; t += direction) moves.push([t, t + direction]);
  };
  for (let t = steps - 1; t >= 0; t--) {
    walk(t + 1, t);
    const jumps = t >= 1 && (t - 1) % jumpLength === 0 && t + jumpLength <= steps;
    for (let u = 1; jumps && u < resamples; u++) {
      walk(t, t + jumpLength);
      walk(t + jumpLength, t);
    }
  }
  return moves;
}

function levelsOf(moves: readonly RepaintMove[], steps: number): Move[] {
  return moves.map(({ index, back }) => {
    const [noisier, cleaner] = [steps - index, steps - index - 1];
    return back ? [cleaner, noisier] : [noisier, cleaner];
  });
}

describe.each([1, 2, 5, 25])('%i steps', (steps) => {
  test.each([1, 2, 3])('in jumps of 1 with %i resamples are those of algorithm 1', (resamples) => {
    const moves = repaintMoves(steps, { jumpLength: 1, resamples });
    expect(levelsOf(moves, steps)).toEqual(algorithm1(steps, resamples));
  });

  test.each([
    [1, 3],
    [2, 2],
    [5, 3],
    [10, 10],
    [30, 2],
  ])('in jumps of %i with %i resamples start from x_1', (jumpLength, resamples) => {
    const moves = repaintMoves(steps, { jumpLength, resamples });
    expect(levelsOf(moves, steps)).toEqual(withJumps(steps, jumpLength, resamples));
  });
});

test('250 steps in jumps of 10 with 10 resamples take 4570 moves', () => {
  // 24 jumps are taken 9 times, each of 10 moves back and 10 steps.
  expect(repaintMoves(250, { jumpLength: 10, resamples: 10 })).toHaveLength(250 + 24 * 9 * 20);
});
