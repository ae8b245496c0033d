import type { ImageFormat } from '../../images/formats.js';

/** Keeps finished images for a while, under names that cannot be guessed. */
export interface ResultStore {
  /** Stores a file. If the name exists, the stored file stays as it is. */
  put(name: string, data: Buffer): Promise<void>;
  get(name: string): Promise<Buffer | undefined>;
  close(): Promise<void>;
}

/** The formats of generated images, which are also their extensions, with their content types. */
export const contentTypes = {
  png: 'image/png',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
} as const satisfies { readonly [F in ImageFormat]?: string };

export type OutputFormat = keyof typeof contentTypes;

export const outputFormats = Object.keys(contentTypes) as OutputFormat[];

/** The name of a job's image: the job's id (128 random bits), the image's index and its format. */
export function resultName(id: string, index: number, format: OutputFormat): string {
  return `${id}-${index}.${format}`;
}

const resultNames = new RegExp(`^[\\w-]{22}-\\d{1,3}\\.(${outputFormats.join('|')})$`);

/** Whether a name can come from `resultName`. Only such names are looked up. */
export function isResultName(name: string): boolean {
  return resultNames.test(name);
}

/** The content type of a result, by its extension. */
export function contentTypeOf(name: string): string {
  const extension = name.slice(name.lastIndexOf('.') + 1);
  return contentTypes[extension as OutputFormat];
}
