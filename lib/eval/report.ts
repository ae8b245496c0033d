import { packageVersion } from '../util/package.js';
import { hashOf } from './captions.js';
import type { ImageModel } from './manifest.js';
import type { ClipScore } from './metrics/clip-score.js';
import type { Estimate } from './metrics/estimate.js';
import type { KernelEstimate } from './metrics/kernel.js';
import type { Plan } from './plan.js';
import type { PublishedTable } from './presets.js';
import type { Scorer } from './scorer.js';

/** The figures of a setting. */
export interface EvaluationRow {
  /** Steps of the stages: `Prior (25) + Decoder (50) + SR (7)`. */
  readonly steps: string;
  /** Guidance scales of prior and decoder: `4 / 8`. */
  readonly guidance: string;
  /** The folder of its images. */
  readonly folder: string;
  /** How well the images fit to their captions. */
  readonly clipScore: ClipScore;
  /** The Fréchet distance to the reference; absent without one. */
  readonly frechet?: Estimate | undefined;
  /** The kernel distance to the reference; absent without its features. */
  readonly kernel?: KernelEstimate | undefined;
}

/** The result of an evaluation. */
export interface EvaluationReport extends ImageModel {
  /** Version of the format. */
  readonly format: 1;
  /** The version of this package. */
  readonly karlo: string;
  /** How many captions were used, and their SHA-256. */
  readonly captions: { readonly count: number; readonly sha256: string };
  /** The seed of caption 0. */
  readonly seed: number;
  /** The CLIP of the score. */
  readonly clip: string;
  /** What the distances compare; absent without a reference. */
  readonly distances?: Distances | undefined;
  /** The figures of each setting. */
  readonly rows: readonly EvaluationRow[];
  /** The figures of the preset. */
  readonly published?: PublishedTable | undefined;
}

/** What the distances compare. */
export interface Distances {
  /** Whether they are FID and KID, which are defined with Inception's features. */
  readonly isInception: boolean;
  /** The network of the features. */
  readonly features: string;
  /** A folder, or a file of statistics. */
  readonly reference: string;
}

/** What the figures of a report are of. */
export interface ReportContext {
  readonly plan: Plan;
  readonly scorer: Scorer;
  readonly model: ImageModel;
}

/** Completes figures with what they are of. */
export function reportOf(
  rows: readonly EvaluationRow[],
  { plan, scorer, model: { model, dtype } }: ReportContext,
): EvaluationReport {
  const { captions, seed, reference, inception, preset } = plan;
  return {
    format: 1,
    karlo: packageVersion(),
    ...{ model, dtype },
    captions: { count: captions.length, sha256: hashOf(captions) },
    seed,
    clip: scorer.clip,
    ...(reference && {
      distances: {
        isInception: inception !== undefined && /inception/i.test(scorer.features.name),
        features: scorer.features.name,
        reference: reference.kind === 'images' ? reference.folder : reference.file,
      },
    }),
    rows,
    ...(preset && { published: preset.published }),
  };
}

/** A report as Markdown, with the layout of the table in the README of Kakao Brain's Karlo. */
export function formatReport(report: EvaluationReport): string {
  const { model, dtype, captions, seed, published } = report;
  const parts = [
    `# Evaluation of ${model.name}`,
    `${captions.count} images, one of each caption; seed ${seed}, ${dtype}, karlo ${report.karlo}. In brackets: 95 % confidence intervals, by bootstrap.`,
    figures(report),
    ...notesOf(report),
    ...(published ? publishedTable(published) : []),
  ];
  return `${parts.join('\n\n')}\n`;
}

interface Column {
  readonly head: string;
  readonly text: (row: EvaluationRow) => string;
}

function figures({ rows, clip, distances }: EvaluationReport): string {
  const columns: Column[] = [
    { head: 'Sampling step', text: ({ steps }) => steps },
    { head: 'Guidance', text: ({ guidance }) => guidance },
    { head: `CLIP-s (${clip})`, text: ({ clipScore }) => estimate(clipScore.cosine, 4) },
    {
      head: 'CLIPScore (torchmetrics)',
      text: ({ clipScore }) => estimate(clipScore.torchmetrics, 2),
    },
    ...(distances ? distanceColumns(distances) : []),
  ];
  return tableOf(
    columns.map(({ head }) => head),
    rows.map((row) => columns.map(({ text }) => text(row))),
  );
}

function distanceColumns({ isInception, features }: Distances): Column[] {
  const [frechet, kernel] = isInception ? ['FID', 'KID'] : ['Fréchet distance', 'Kernel distance'];
  return [
    {
      head: `${frechet} (${features})`,
      text: (row) => (row.frechet ? estimate(row.frechet, isInception ? 2 : 4) : '–'),
    },
    {
      head: `${kernel} x 1000`,
      text: (row) => (row.kernel ? estimate(scaled(row.kernel, 1000), 2) : '–'),
    },
  ];
}

function notesOf({ rows, distances, clip }: EvaluationReport): string[] {
  const scores = `CLIP-s is the mean cosine of caption and image in the CLIP space of ${clip}; CLIPScore is 100 times that, at least 0, as in torchmetrics.`;
  if (distances === undefined) return [scores];
  const { isInception, features, reference } = distances;
  const lacks = rows.some(({ kernel }) => kernel === undefined);
  return [
    scores,
    `The distances are those to ${reference}, by the features of ${features}.`,
    ...(isInception
      ? []
      : ["They are not FID and KID, which are defined with Inception's features."]),
    ...(lacks
      ? ['A kernel distance needs the features of the reference, not only statistics.']
      : []),
  ];
}

function publishedTable({ source, url, guidance, clip, images, rows }: PublishedTable): string[] {
  const head = ['Sampling step', `CLIP-s (${clip})`, `FID (${images})`];
  const cells = rows.map(({ steps, clipScore, fid }) => [
    steps,
    clipScore.toFixed(4),
    fid.toFixed(2),
  ]);
  return [
    `For comparison, from [${source}](${url}), with guidance scales of ${guidance}:`,
    tableOf(head, cells),
  ];
}

function estimate({ value, low, high }: Estimate, digits: number): string {
  const [number, from, to] = [value, low, high].map((one) => one.toFixed(digits));
  return `${number} [${from}, ${to}]`;
}

function scaled({ value, standardError, low, high }: Estimate, factor: number): Estimate {
  return {
    value: factor * value,
    standardError: factor * standardError,
    low: factor * low,
    high: factor * high,
  };
}

/** A table whose first column is aligned left, and the others right. */
function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, i) => (i === 0 ? ':---' : '---:'));
  return [head, rule, ...rows].map(line).join('\n');
}
