import type { StageName } from '../api/types';
import type { Settings } from './settings';

/** A finished picture. */
export interface Picture {
  seed: number;
  blob: Blob;
}

/** One press of the button: what was asked, and what came of it. This is what the history keeps. */
export interface Run {
  /** Sorts by time. */
  id: string;
  settings: Settings;
  /** The picture that was varied. */
  source?: Blob;
  /** By place; a hole where the picture is not there (yet, or any more). */
  pictures: (Picture | undefined)[];
  warnings: string[];
}

/** What is known of the run at work. */
export interface Work {
  id: string;
  /** Place in the server's queue; 0 when it is at work. */
  position: number;
  stage: StageName | undefined;
  /** Pictures at work in this stage; undefined: all that are not ready. */
  index: number | undefined;
  previews: (Blob | undefined)[];
  /** Share that is done, 0 to 1. */
  share: number;
  /** Seconds that are left; undefined while nobody can tell. */
  left: number | undefined;
}

/** What is done and left of one picture. Those that are made one by one have a share of the run each. */
export function partOf(
  { index: alone, share, left }: Work,
  index: number,
  count: number,
): Pick<Work, 'share' | 'left'> {
  if (alone === undefined || share >= 1) return { share, left };
  const part = Math.min(1, Math.max(0, count * share - index));
  return { share: part, left: left && (left * (1 - part)) / (count * (1 - share)) };
}

export function newRunId(): string {
  const random = crypto.getRandomValues(new Uint32Array(1))[0] as number;
  return `${Date.now().toString(36).padStart(9, '0')}-${random.toString(36)}`;
}

export function timeOf({ id }: Run): Date {
  return new Date(Number.parseInt(id, 36));
}

/** The settings that make one picture of a run again. */
export function settingsOf({ settings }: Run, { seed }: Picture): Settings {
  return { ...settings, seed, count: 1 };
}
