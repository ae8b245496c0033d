import { expect, test } from 'vitest';
import { progressText } from '../../../lib/cli/terminal/progress.js';
import type { StepEvent } from '../../../lib/pipeline/task.js';

const event = (
  changes: Partial<StepEvent>,
  batch: Partial<StepEvent['batch']> = {},
): StepEvent => ({
  ...{ type: 'step', stage: 'decoder', step: 31, steps: 100, fraction: 0.3, secondsLeft: 40 },
  ...changes,
  batch: { images: [1], candidates: [0], step: 6, steps: 25, ...batch },
});

test.each<[StepEvent, number, number, string]>([
  [event({}), 4, 1, 'image 2 of 4, decoder 6/25, 40 s left'],
  [event({}, { images: [0] }), 1, 1, 'decoder 6/25, 40 s left'],
  [event({}, { images: [1, 2, 3] }), 4, 1, 'images 2 to 4 of 4, decoder 6/25, 40 s left'],
  [event({}, { candidates: [2] }), 4, 8, 'image 2 of 4, draft 3 of 8, decoder 6/25, 40 s left'],
  [
    event({}, { images: [0, 0], candidates: [4, 5] }),
    1,
    8,
    'drafts 5 to 6 of 8, decoder 6/25, 40 s left',
  ],
  [event({ stage: 'upsample' }), 4, 8, 'image 2 of 4, upsample 6/25, 40 s left'],
  [event({ secondsLeft: undefined }), 4, 1, 'image 2 of 4, decoder 6/25'],
  [event({ secondsLeft: 89.2 }), 4, 1, 'image 2 of 4, decoder 6/25, 1 min 30 s left'],
])('progress of %o', (step, images, candidates, text) => {
  expect(progressText(step, { images, candidates })).toBe(text);
});
