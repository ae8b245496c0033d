/** Parts of a mix. */
export const maxParts = 16;
