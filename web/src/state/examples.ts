/** karlo-tiny only knows coloured shapes. */
const tinyExamples = [
  'a red heart on a white background',
  'a blue star on a yellow background',
  'a purple moon on a black background',
  'a striped green circle',
];

const fullExamples = [
  'a portrait of an old monk, highly detailed',
  'a photo of a teapot on the grass in the morning',
  'a fox in the snow, watercolour',
  'a lighthouse at night, oil painting',
];

/** Example prompts that suit a model. */
export function examplesFor(model: string | undefined): readonly string[] {
  return model === undefined || model.includes('tiny') ? tinyExamples : fullExamples;
}
