/** The networks of a Karlo model, by the names of their folders in the Hugging Face layout. */
export const COMPONENTS = [
  'prior',
  'decoder',
  'text_proj',
  'super_res_first',
  'super_res_last',
  'text_encoder',
  'image_encoder',
] as const;
/** A network of a model, by the name of its folder in the Hugging Face layout. */
export type ComponentName = (typeof COMPONENTS)[number];

/** The schedulers, by folder. */
export const SCHEDULERS = ['prior_scheduler', 'decoder_scheduler', 'super_res_scheduler'] as const;
export type SchedulerName = (typeof SCHEDULERS)[number];

/** What the package can be asked to do with a model. */
export type Task = 'textToImage' | 'imageVariation';

const SHARED = ['decoder', 'text_proj', 'super_res_first', 'super_res_last'] as const;

/** The networks that each task runs. */
export const NETWORKS_OF: Readonly<Record<Task, readonly ComponentName[]>> = {
  textToImage: ['text_encoder', 'prior', ...SHARED],
  imageVariation: ['image_encoder', 'text_encoder', ...SHARED],
};

const UPSAMPLE = ['times', 'step_at'] as const;

/** The methods that the stages call: of all that native/export/trace.h lists, a loaded network has these. */
export const METHODS_OF: Readonly<Record<ComponentName, readonly string[]>> = {
  text_encoder: ['forward'],
  image_encoder: ['forward'],
  prior: ['prefill', 'times', 'step_at', 'finish'],
  text_proj: ['forward', 'unconditional'],
  decoder: ['condition', 'times', 'step_at'],
  super_res_first: UPSAMPLE,
  super_res_last: UPSAMPLE,
};

/** The schedulers that each task runs. */
export const SCHEDULERS_OF: Readonly<Record<Task, readonly SchedulerName[]>> = {
  textToImage: ['prior_scheduler', 'decoder_scheduler', 'super_res_scheduler'],
  imageVariation: ['decoder_scheduler', 'super_res_scheduler'],
};
