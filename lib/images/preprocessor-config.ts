import { z } from 'zod';
import { resampleFilters } from './filters.js';

/** A key with a default. transformers treats `null` like a missing key. */
function optional<T extends z.ZodType>(schema: T, missing: z.input<T>) {
  return z.preprocess((value) => value ?? missing, schema);
}

const flag = z.boolean().prefault(true);
const length = z.int().min(1).max(1_048_576);
const rectangle = z.strictObject({ height: length, width: length });
/** A `longest_edge` has no effect in `CLIPImageProcessor`. */
const shortest = z
  .strictObject({ shortest_edge: length, longest_edge: z.unknown() })
  .partial({ longest_edge: true })
  .transform(({ shortest_edge }) => ({ shortest_edge }));
const pair = z.tuple([length, length]).transform(([height, width]) => ({ height, width }));
const shortestNumber = length.transform((edge) => ({ shortest_edge: edge }));
const squareNumber = length.transform((edge) => ({ height: edge, width: edge }));

/** A value for each channel, or one for all of them. */
function perChannel(value: z.ZodType<number>, error: string) {
  const all = value.transform((one): [number, number, number] => [one, one, one]);
  return z.union([z.tuple([value, value, value]), all], { error });
}

/**
 * `preprocessor_config.json` of transformers' `CLIPImageProcessor`, with its defaults for missing keys.
 * Older files have numbers or lists as sizes.
 */
export const featureExtractorConfig = z.object({
  do_resize: flag,
  size: optional(
    z.union([shortest, rectangle, shortestNumber, pair], {
      error: 'an edge in pixels, {"shortest_edge"} or {"height", "width"}',
    }),
    { shortest_edge: 224 },
  ),
  /** Pillow's number for the filter. */
  resample: z.literal(resampleFilters).prefault(3),
  do_center_crop: flag,
  crop_size: optional(
    z.union([rectangle, squareNumber, pair], {
      error: 'an edge in pixels or {"height", "width"}',
    }),
    { height: 224, width: 224 },
  ),
  do_rescale: flag,
  rescale_factor: z
    .number()
    .positive()
    .prefault(1 / 255),
  do_normalize: flag,
  image_mean: optional(
    perChannel(z.number(), 'three numbers or one'),
    [0.48145466, 0.4578275, 0.40821073],
  ),
  image_std: optional(
    perChannel(z.number().positive(), 'three positive numbers or one'),
    [0.26862954, 0.26130258, 0.27577711],
  ),
  /** Has no effect, because decoded images are RGB. transformers rejects other images if it is false. */
  do_convert_rgb: flag,
  /** KOSMOS-2's way to say that `size` is a square. */
  use_square_size: z.literal(false).prefault(false),
});

export type FeatureExtractorConfig = z.infer<typeof featureExtractorConfig>;
