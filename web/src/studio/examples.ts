/** What the miniature knows: coloured shapes. */
const tiny = [
  'a red heart on a white background',
  'a blue star on a yellow background',
  'a purple moon on a black background',
  'a striped green circle',
];

const full = [
  'a portrait of an old monk, highly detailed',
  'a photo of a teapot on the grass in the morning',
  'a fox in the snow, watercolour',
  'a lighthouse by night, oil painting',
];

export function examplesFor(model: string | undefined): readonly string[] {
  return model === undefined || model.includes('tiny') ? tiny : full;
}
