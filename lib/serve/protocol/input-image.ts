import { runDecoding } from '../../images/decoding/run.js';
import { matchesFormat, readableFormats } from '../../images/formats.js';
import { describeUnsupported } from '../../images/image-bytes.js';
import type { InputLimits } from '../../images/input-limits.js';
import { ApiError, badRequest } from '../errors.js';
import type { Job } from '../queue/job.js';

/** The formats that are accepted: those that browsers show. */
const inputFormats = readableFormats.filter(({ label }) => label !== 'TIFF');

/** The same for people. */
export const acceptedFormats = 'PNG, JPEG, WebP, GIF or AVIF';

/**
 * Checks the first bytes of an image file, and then its header, before anything is decoded.
 * @param field of the request, for messages
 * @throws {ApiError} 400 if it is not an image in an accepted format, 413 if it has too many pixels
 */
export async function checkImage(
  bytes: Buffer,
  field: string,
  limits: InputLimits,
  signal: AbortSignal,
): Promise<void> {
  if (!inputFormats.some((format) => matchesFormat(bytes, format))) {
    const reason = describeUnsupported(bytes) ?? 'it is TIFF';
    throw badRequest(field, `Expected ${acceptedFormats}, but ${reason}`);
  }
  const { excess } = await runDecoding('inspect', bytes, { label: field, limits }, signal);
  if (excess !== undefined) throw imageTooLarge(`Cannot read the image: ${excess}`, field);
}

/**
 * Checks the image files of a job.
 * @param fieldOf the field of the request that has a file, for messages
 */
export async function checkFiles(
  job: Job,
  limits: InputLimits,
  signal: AbortSignal,
  fieldOf: (job: Job, index: number) => string = fileField,
): Promise<void> {
  for (const [i, file] of job.files.entries()) {
    await checkImage(file as Buffer, fieldOf(job, i), limits, signal);
  }
}

function fileField({ call }: Job, index: number): string {
  if (call.method === 'finish') return 'draft';
  return call.method === 'inpaint' && index === 1 ? 'mask' : 'image';
}

export function imageTooLarge(message: string, field = 'image'): ApiError {
  return new ApiError(413, 'image_too_large', message, { param: field });
}
