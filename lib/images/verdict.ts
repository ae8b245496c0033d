import { z } from 'zod';
import { type UnsafeAction, unsafeActions } from '../options/descriptions.js';

/** What a safety check says about an image. */
export interface Verdict {
  /** Whether the image should not be shown. */
  unsafe: boolean;
  /** What makes it unsafe: labels of the check. */
  reasons?: string[] | undefined;
  /** The score of each label, in the unit of the check. */
  scores?: Record<string, number> | undefined;
}

/** The verdict in a recipe. */
export interface RecordedVerdict extends Verdict {
  /** What happened to the image because it is unsafe. */
  action?: Exclude<UnsafeAction, 'error'> | undefined;
}

const label = z.string().max(100);
const maxLabels = 100;

const verdict = {
  unsafe: z.boolean(),
  reasons: z.array(label).max(maxLabels).optional(),
  scores: z
    .record(label, z.number())
    .refine((scores) => Object.keys(scores).length <= maxLabels, `at most ${maxLabels} scores`)
    .optional(),
};

/** The verdict that a check returns. */
export const verdictSchema = z.object(verdict) satisfies z.ZodType<Verdict>;

/** The verdict in a recipe. */
export const recordedVerdictSchema = z.object({
  ...verdict,
  action: z.enum(unsafeActions).exclude(['error']).optional(),
}) satisfies z.ZodType<RecordedVerdict>;
