import type { Settings } from './settings';

export interface GeneratedImage {
  seed: number;
  blob: Blob;
}

/** One request and its images, as the history keeps it. */
export interface Run {
  /** Contains the time, so that runs sort by it. */
  id: string;
  settings: Settings;
  /** The image that was varied. */
  source?: Blob;
  /** By index; undefined if an image is not ready or has been deleted. */
  images: (GeneratedImage | undefined)[];
  warnings: string[];
}

export function newRun(settings: Settings, source: Blob | undefined): Run {
  return {
    id: newRunId(),
    settings,
    ...(source && { source }),
    images: Array.from({ length: settings.count }, () => undefined),
    warnings: [],
  };
}

function newRunId(): string {
  const random = crypto.getRandomValues(new Uint32Array(1))[0] as number;
  return `${Date.now().toString(36).padStart(9, '0')}-${random.toString(36)}`;
}

export function timeOf({ id }: Run): Date {
  return new Date(Number.parseInt(id, 36));
}

export function titleOf({ settings }: Run): string {
  return settings.kind === 'create' ? settings.prompt : 'Image variations';
}

/** The settings that generate a single image of a run again. */
export function settingsOf({ settings }: Run, { seed }: GeneratedImage): Settings {
  return { ...settings, seed, count: 1 };
}

/** "1 image", "4 images" */
export function imageCount(count: number): string {
  return count === 1 ? '1 image' : `${count} images`;
}
