import { fileName } from './browser';
import type { Inputs, TextOrImage } from './inputs';
import { makesDrafts, type Settings } from './settings';

export interface GeneratedImage {
  seed: number;
  /** Of a draft, a PNG file that contains all that is needed to finish it. */
  blob: Blob;
  isDraft?: boolean;
  favourite?: boolean;
}

/** An image in the gallery. */
export interface ImageRef {
  runId: string;
  index: number;
}

/** One request and its images, as the history keeps it. */
export interface Run {
  /** Contains the time, so that runs sort by it. */
  id: string;
  settings: Settings;
  inputs: Inputs;
  /** By index; undefined if an image is not ready or has been deleted. */
  images: (GeneratedImage | undefined)[];
  /** The frames of an interpolation as one file. */
  animation?: Blob;
  warnings: string[];
  /** Set until the run has ended, so that the page can say after a reload that it was interrupted. */
  unfinished?: boolean;
  /** The indices of the drafts that are being finished, in the order of the request. */
  finishing?: readonly number[];
}

export function newRun(settings: Settings, inputs: Inputs): Run {
  const { kind, count, frames } = settings;
  const length = kind === 'interpolate' ? frames : count;
  return {
    id: newRunId(),
    settings,
    inputs,
    images: Array.from({ length }, () => undefined),
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

export function titleOf({ settings, inputs }: Run): string {
  const { kind, prompt, editMode, from, to } = settings;
  const { parts = [], ends = [] } = inputs;
  if (kind === 'create') return prompt;
  if (kind === 'vary') return 'Image variations';
  if (kind === 'mix') return `Mix of ${parts.map(nameOf).join(', ')}`;
  if (kind === 'interpolate') return `From ${ends.map(nameOf).join(' to ')}`;
  if (editMode === 'text') return `From ${from} to ${to}`;
  return prompt.trim() === '' ? 'Repainted image' : prompt;
}

function nameOf({ text, image }: TextOrImage): string {
  return image ? 'an image' : text;
}

/**
 * The name of an image's file. Frames have the same seed, so theirs contain the number of the frame.
 * @param animation the type of the animation's file, if that is wanted
 */
export function fileNameOf(run: Run, index: number, animation?: string): string {
  const { seed = 0, blob } = run.images[index] ?? {};
  const isFrame = run.settings.kind === 'interpolate' && animation === undefined;
  const numbers = isFrame ? [seed, index + 1] : [seed];
  return fileName(
    run.settings.kind === 'vary' ? '' : titleOf(run),
    numbers,
    animation ?? blob?.type ?? '',
  );
}

/** The settings that generate a single image of a run again. Its seed is that of the chosen candidate. */
export function settingsOf({ settings }: Run, { seed, isDraft = false }: GeneratedImage): Settings {
  return { ...settings, seed, count: 1, candidates: 1, draftsFirst: isDraft };
}

/** The indices of the images that a run's request generates, in their order in the request. */
export function requestedOf({ images, finishing }: Run): readonly number[] {
  return finishing ?? [...images.keys()];
}

/** Whether a run's request still generates an image. */
export function isPending({ images, finishing }: Run, index: number): boolean {
  const image = images[index];
  return finishing ? finishing.includes(index) && image?.isDraft === true : image === undefined;
}

/** The run without what is only stored while it works. */
export function endedRun({ unfinished: _, finishing: __, ...run }: Run): Run {
  return run;
}

/** "1 image", "4 images" */
export function imageCount(count: number): string {
  return count === 1 ? '1 image' : `${count} images`;
}

/** "1 draft", "4 drafts" */
export function draftCount(count: number): string {
  return count === 1 ? '1 draft' : `${count} drafts`;
}

/** Whether a run's request generates drafts. */
export function generatesDrafts({ settings, finishing }: Run): boolean {
  return makesDrafts(settings) && finishing === undefined;
}
