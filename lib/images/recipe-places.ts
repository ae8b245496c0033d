/** The keywords of the PNG chunks that hold a recipe: as JSON, and as XMP. */
export const pngKeywords = { recipe: 'karlo', xmp: 'XML:com.adobe.xmp' } as const;

/** No recipe has more bytes, read or written: a hostile file costs no more than this. */
export const mostRecipeBytes = 1 << 18;
