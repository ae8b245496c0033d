import { expected } from '../../errors.js';
import type { AnimationFormat } from '../../images/animation.js';
import type { ImageFormat } from '../../images/formats.js';

/** Keeps finished images for a while, under names that cannot be guessed. */
export abstract class ResultStore {
  /**
   * Stores a file. If the name exists, the stored file stays as it is.
   * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT if the name is not that of a result
   */
  async put(name: string, data: Buffer): Promise<void> {
    if (!isResultName(name)) throw expected('the name of a result', 'name', name);
    await this.write(name, data);
  }

  /** @returns undefined if there is no such file */
  async get(name: string): Promise<Buffer | undefined> {
    return isResultName(name) ? this.read(name) : undefined;
  }

  abstract close(): Promise<void>;

  /** `put`, for a name that was checked. */
  protected abstract write(name: string, data: Buffer): Promise<void>;
  /** `get`, for a name that was checked. */
  protected abstract read(name: string): Promise<Buffer | undefined>;
}

/** The formats of generated images, which are also their extensions, with their content types. */
const imageTypes = {
  png: 'image/png',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
} as const satisfies { readonly [F in ImageFormat]?: string };

export type OutputFormat = keyof typeof imageTypes;

export const outputFormats = Object.keys(imageTypes) as OutputFormat[];

/** The content types of all results. */
export const contentTypes = { ...imageTypes, gif: 'image/gif' } as const satisfies {
  readonly [F in OutputFormat | AnimationFormat]: string;
};

/** The name of a job's image: the job's id (128 random bits), the image's index and its format. */
export function resultName(id: string, index: number, format: OutputFormat): string {
  return `${id}-${index}.${format}`;
}

/** The name of a job's animation. */
export function animationName(id: string, format: AnimationFormat): string {
  return `${id}-animation.${format}`;
}

/** Whether a value can be a job's id: 128 random bits as base64url. */
export function isJobId(id: unknown): id is string {
  return typeof id === 'string' && /^[\w-]{22}$/.test(id);
}

const extensions = Object.keys(contentTypes).join('|');
const resultNames = new RegExp(`^[\\w-]{22}-(\\d{1,3}|animation)\\.(${extensions})$`);

/** Whether a name can come from `resultName` or `animationName`. */
export function isResultName(name: string): boolean {
  return resultNames.test(name);
}

/** The content type of a result, by its extension. */
export function contentTypeOf(name: string): string {
  const extension = name.slice(name.lastIndexOf('.') + 1);
  return contentTypes[extension as keyof typeof contentTypes];
}
