// What marks an image as generated, for `karlo info`.
import { KarloError } from '../errors.js';
import { type Marking, readMarking } from '../images/read-marking.js';
import { readWatermark, type Watermark } from '../images/watermark/read.js';

/** The marking of a file, and its watermark. */
export interface Marks {
  readonly marking: Marking | undefined;
  readonly watermark: Watermark | undefined;
  /** Why the watermark cannot be searched. */
  readonly unread?: string;
}

/** Reads both. Pixels that cannot be decoded do not hide the rest. */
export async function readMarks(path: string): Promise<Marks> {
  const marking = await readMarking(path);
  try {
    return { marking, watermark: await readWatermark(path) };
  } catch (error) {
    if (!(error instanceof KarloError)) throw error;
    return { marking, watermark: undefined, unread: error.message };
  }
}

/** As a field of the JSON of `karlo info`. */
export function marksJson({ marking, watermark, unread }: Marks): object {
  return { ...marking, ...(unread === undefined && { watermark: watermark ?? null }) };
}

export function describeMarks({ marking, watermark, unread }: Marks): [string, string][] {
  const none = 'none: the file has no marking, or another program removed it';
  const found = watermark ? `${watermark.text} (score ${watermark.score.toFixed(2)})` : 'none';
  return [
    ['digital source type', marking?.digitalSourceType ?? none],
    ...(marking?.creatorTool ? [['creator tool', marking.creatorTool] as [string, string]] : []),
    ['watermark found', unread === undefined ? found : `not searched. ${unread}`],
  ];
}
