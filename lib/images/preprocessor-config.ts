import { z } from 'zod';

const size = z.int().min(1).max(1_048_576);
const square = size.transform((edge) => ({ height: edge, width: edge }));
const rectangle = z.object({ height: size, width: size });
const shortest = z.object({ shortest_edge: size });
const always = z.literal(true).prefault(true);
const positive = z.number().positive();
const perChannel = z.tuple([z.number(), z.number(), z.number()]);

/**
 * `preprocessor_config.json` of transformers' `CLIPImageProcessor`, with its defaults for missing keys.
 * Older files have numbers as sizes. The result must be a square.
 */
export const featureExtractorConfig = z
  .object({
    do_resize: always,
    size: z
      .union([shortest, rectangle, size.transform((edge) => ({ shortest_edge: edge }))])
      .prefault({ shortest_edge: 224 }),
    /** Pillow's number for the filter; 3 is bicubic. */
    resample: z.literal(3).prefault(3),
    do_center_crop: z.boolean().prefault(true),
    crop_size: z
      .union([rectangle, square])
      .refine(({ height, width }) => height === width, 'a square')
      .prefault({ height: 224, width: 224 }),
    do_rescale: always,
    rescale_factor: z
      .number()
      .positive()
      .prefault(1 / 255),
    do_normalize: always,
    image_mean: perChannel.prefault([0.48145466, 0.4578275, 0.40821073]),
    image_std: z
      .tuple([positive, positive, positive])
      .prefault([0.26862954, 0.26130258, 0.27577711]),
  })
  .superRefine(checkCrop);

interface Sizes {
  size: { shortest_edge: number } | { height: number; width: number };
  crop_size: { height: number };
  do_center_crop: boolean;
}

function checkCrop({ size, crop_size, do_center_crop }: Sizes, context: z.RefinementCtx): void {
  if (!do_center_crop && 'shortest_edge' in size) {
    const message = 'true, because size is a shortest_edge,';
    context.addIssue({ code: 'custom', path: ['do_center_crop'], message });
  }
  const short = 'shortest_edge' in size ? size.shortest_edge : Math.min(size.height, size.width);
  if (crop_size.height <= short) return;
  const message = `at most size (${short})`;
  context.addIssue({ code: 'custom', path: ['crop_size'], message });
}

export type FeatureExtractorConfig = z.infer<typeof featureExtractorConfig>;
