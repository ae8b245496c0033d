/** Keeps finished images for a while, under names that cannot be guessed. */
export interface ResultStore {
  /** Stores a file. If the name exists, the stored file stays as it is. */
  put(name: string, data: Buffer): Promise<void>;
  get(name: string): Promise<Buffer | undefined>;
  close(): Promise<void>;
}

export const contentTypes = {
  png: 'image/png',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
} as const;

/** The name of a job's image: the job's id (128 random bits), the image's index and its format. */
export function resultName(id: string, index: number, format: keyof typeof contentTypes): string {
  return `${id}-${index}.${format}`;
}

/** Whether a name can come from `resultName`. Only such names are looked up. */
export function isResultName(name: string): boolean {
  return /^[\w-]{22}-\d{1,3}\.(png|jpeg|webp)$/.test(name);
}

/** The content type that a result's name stands for. */
export function contentTypeOf(name: string): string {
  const extension = name.slice(name.lastIndexOf('.') + 1);
  return contentTypes[extension as keyof typeof contentTypes];
}
