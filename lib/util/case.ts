/** Splits a camelCase name into its words, in lower case: `batchSize` with `-` is `batch-size`. */
export function splitCase(name: string, separator: '-' | '_' | ' '): string {
  return name.replace(/[A-Z]/g, (letter) => `${separator}${letter.toLowerCase()}`);
}
