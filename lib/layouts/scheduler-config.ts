import { z } from 'zod';
import type { Task } from '../networks/registry.js';

/** The schedulers of a Karlo model, by the names of their folders in the Hugging Face layout. */
export const SCHEDULERS = ['prior_scheduler', 'decoder_scheduler', 'super_res_scheduler'] as const;
export type SchedulerName = (typeof SCHEDULERS)[number];

/** The schedulers that each task runs. */
export const SCHEDULERS_OF: Readonly<Record<Task, readonly SchedulerName[]>> = {
  textToImage: SCHEDULERS,
  imageVariation: ['decoder_scheduler', 'super_res_scheduler'],
};

/** `scheduler_config.json` of diffusers' `UnCLIPScheduler`, with that class's defaults for missing keys. */
export const schedulerFile = z
  .object({
    num_train_timesteps: z.int().min(1).max(1_000_000).prefault(1000),
    beta_schedule: z.enum(['squaredcos_cap_v2', 'linear']).prefault('squaredcos_cap_v2'),
    prediction_type: z.enum(['epsilon', 'sample']).prefault('epsilon'),
    variance_type: z.enum(['fixed_small_log', 'learned_range']).prefault('fixed_small_log'),
    clip_sample: z.boolean().prefault(true),
    clip_sample_range: z.number().positive().nullable().prefault(1),
  })
  .superRefine(({ clip_sample, clip_sample_range }, context) => {
    if (!clip_sample || clip_sample_range !== null) return;
    const message = 'a number, because clip_sample is true,';
    context.addIssue({ code: 'custom', path: ['clip_sample_range'], message });
  });

export type SchedulerFile = z.infer<typeof schedulerFile>;

/** How the noise increases over the training timesteps. */
export type BetaSchedule = SchedulerFile['beta_schedule'];

/** The diffusion settings of one stage. */
export interface SchedulerConfig {
  /** The number of training timesteps. */
  readonly trainSteps: number;
  readonly betaSchedule: BetaSchedule;
  /** Whether the network predicts the noise (`epsilon`) or x0 (`sample`). */
  readonly predictionType: 'epsilon' | 'sample';
  /** The posterior variance, or one that the network's additional channels interpolate. */
  readonly varianceType: 'fixed_small_log' | 'learned_range';
  /** The limit of x0, ± this value; undefined without a clamp. */
  readonly clipSampleRange: number | undefined;
  /** The program whose rounding is followed: diffusers' `UnCLIPScheduler` or Kakao's `gaussian_diffusion`. */
  readonly arithmetic: 'unclip-scheduler' | 'gaussian-diffusion';
}

/** The settings of a stage, from its file and the arithmetic of the model's layout. */
export function schedulerConfig(
  file: SchedulerFile,
  arithmetic: SchedulerConfig['arithmetic'],
): SchedulerConfig {
  return {
    trainSteps: file.num_train_timesteps,
    betaSchedule: file.beta_schedule,
    predictionType: file.prediction_type,
    varianceType: file.variance_type,
    clipSampleRange: file.clip_sample ? (file.clip_sample_range as number) : undefined,
    arithmetic,
  };
}
