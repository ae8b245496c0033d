/** An option of the package as the flag that sets it: `decoder.guidanceScale` is `--decoder-guidance`. */
export function flagOf(option: string): string {
  if (option.startsWith('prompt')) return option;
  const words = option.replace('guidanceScale', 'guidance').replace('.', '-');
  return `--${words.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The reverse of {@link flagOf}. */
export function optionOf(flag: string): string {
  return flag
    .replace(/^--/, '')
    .replace(/^(prior|decoder|upsample)-/, '$1.')
    .replace(/guidance$/, 'guidanceScale');
}
