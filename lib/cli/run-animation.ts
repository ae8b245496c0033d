import type { Command } from 'commander';
import { type AnimationFormat, animationFormatOf, encodeAnimation } from '../images/animation.js';
import { qualityRange } from '../images/encode.js';
import type { KarloImage } from '../images/karlo-image.js';
import { writeAtomically } from '../images/write-file.js';
import { integer } from '../options/validate.js';
import { animationLine } from './closing-line.js';
import { checked, type ImageFlags, throwUsageError } from './flags.js';
import { prepareFolders, requireNewFiles, type Target } from './output-files.js';
import { type GenerationPlan, type Report, runCalls, type StartGeneration } from './run-calls.js';
import { interruptible } from './terminal/interruptible.js';
import { printJson, printLine, reportLine } from './terminal/output.js';

/** The flags of an animation. */
export interface AnimationFlags extends ImageFlags {
  /** Its file, whose extension is checked. */
  readonly animate: string;
  readonly fps: number;
}

/** Like `runGeneration`, but writes one animation instead of its frames. */
export async function runAnimation(
  command: Command,
  plan: GenerationPlan,
  flags: AnimationFlags,
  start: StartGeneration,
): Promise<void> {
  const { animate: file, fps: framesPerSecond, force = false, marking } = flags;
  const quality = checked(command, () => integer(flags.quality, qualityRange, '--quality', 90));
  const format = animationFormatOf(file) as AnimationFormat;
  const targets = plan.targets({ path: '.', format: 'png', isDraft: false });
  if (!force) requireNewFiles([file]);
  prepareFolders([file]);
  const frames: KarloImage[] = [];
  const write = (image: KarloImage, { source }: Target) => {
    frames[source] = image;
  };
  const report = await interruptible(async (signal) => {
    const made = await runCalls({ plan, targets, flags, start, signal, write });
    const bytes = await encodeAnimation(frames, format, { framesPerSecond, quality, marking });
    await writeAtomically(file, bytes, force);
    return made;
  }).catch((error) => throwUsageError(command, error));
  const warnings = [...(plan.warnings ?? []), ...report.warnings];
  print(file, frames, { ...report, warnings }, flags);
}

function print(
  file: string,
  frames: readonly KarloImage[],
  { warnings, made: _, ...report }: Report,
  { json = false, fps }: AnimationFlags,
): void {
  for (const warning of warnings) reportLine(`warning: ${warning}`);
  if (json) {
    const [first] = frames;
    printJson({
      animation: file,
      frames: frames.length,
      fps,
      seed: first?.seed,
      warnings,
      ...report,
    });
    return;
  }
  printLine(file);
  reportLine(animationLine(file, frames, report.timings.total));
}
