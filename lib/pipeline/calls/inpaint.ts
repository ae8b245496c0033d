import { invalidArgument } from '../../errors.js';
import type { ImageInput } from '../../images/decode.js';
import { limitsOf } from '../../images/input-limits.js';
import { featheredAlpha, paste } from '../../images/paste.js';
import { type PreparedImage, prepareMask } from '../../images/prepare.js';
import { methodOptions } from '../../options/descriptions.js';
import type { ResolvedInpaint } from '../../options/resolve-methods.js';
import { Tensor, tidy } from '../../torch/tensor.js';
import type { Cascade } from '../cascade.js';
import { listOf } from '../condition.js';
import type { Encoding } from '../session.js';
import type { GenerationCall } from './call.js';
import { generationCall } from './generation.js';
import { encodeShared, encodeTexts, readImages, toImageTensor } from './inputs.js';
import { commonRecipe } from './recipes.js';

/** Repaints a part of an image (RePaint, Lugmayr et al. 2022). */
export function inpaintCall(
  input: ImageInput,
  mask: ImageInput,
  settings: ResolvedInpaint,
): GenerationCall {
  const { fit, feather, negativePrompt } = settings;
  const prompt = settings.prompts[0] as string;
  return generationCall(settings, {
    count: 1,
    async encode(encoding) {
      const { cascade } = encoding;
      const { image, masks } = await readMasked(encoding, input, mask, settings);
      const { features, warnings } = await encodeTexts(encoding, [prompt]);
      const { negative, warnings: further } = await encodeShared(encoding, { negativePrompt });
      const [small, large] = image.resized as [Uint8Array, Uint8Array];
      const alpha = featheredAlpha(masks.large, cascade.imageSize, feather);
      const condition = {
        ...{ text: features[0], negative },
        image: toImageTensor(cascade, small, cascade.draftSize),
        mask: toMaskTensor(cascade, masks.small),
      };
      const whole = masks.small.every((one) => one === 1);
      return {
        conditions: listOf([condition]),
        warnings: [
          ...(image.warning ? [image.warning] : []),
          ...(whole ? ['The mask repaints the whole image: nothing of it is kept'] : []),
          ...[...warnings, ...further],
        ],
        recipe: (_source, seed, provenance) => ({
          ...{ kind: 'inpaint', prompt, source: { sha256: image.hash, fit } },
          mask: { sha256: masks.hash },
          ...commonRecipe(methodOptions.inpaint, seed, settings, provenance),
        }),
        complete: (_source, pixels) => paste(pixels, large, alpha),
      };
    },
  });
}

/** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for a mask that keeps the whole image */
async function readMasked(
  encoding: Encoding,
  input: ImageInput,
  mask: ImageInput,
  settings: ResolvedInpaint,
) {
  const { cascade, signal } = encoding;
  const { fit } = settings;
  const resized = [cascade.draftSize, cascade.imageSize].map((edge) => ({ edge, fit }));
  const [image] = (await readImages(encoding, [input], settings, { resized })) as [PreparedImage];
  const { width, height } = image;
  const request = { image: { width, height }, resized, limits: limitsOf(settings), signal };
  const { hash, masks } = await prepareMask(mask, request);
  const [small, large] = masks as [Uint8Array, Uint8Array];
  if (small.includes(1)) return { image, masks: { small, large, hash } };
  const message =
    'Expected a mask that is white or transparent where the image is repainted, but it keeps the whole image. Invert it, or enlarge the white part';
  throw invalidArgument(message, { argument: 'mask' });
}

/** `[1, 1, side, side]` */
function toMaskTensor({ device, draftSize: side }: Cascade, mask: Uint8Array): Tensor {
  return tidy(() => Tensor.from(Float32Array.from(mask), [1, 1, side, side]).to({ device }));
}
