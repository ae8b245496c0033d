/** The five files of the Kakao layout. */
export type KakaoFile = 'clip' | 'stats' | 'prior' | 'decoder' | 'superRes';

interface KakaoPattern {
  pattern: RegExp;
  /** The published name. */
  name: string;
}

const FILES: Readonly<Record<KakaoFile, KakaoPattern>> = {
  clip: { pattern: /^ViT-[\w-]+\.pt$/, name: 'ViT-L-14.pt' },
  stats: { pattern: /^ViT-[\w-]+_stats\.th$/, name: 'ViT-L-14_stats.th' },
  prior: { pattern: /^prior-ckpt.*\.ckpt$/, name: 'prior-ckpt-step=01000000-of-01000000.ckpt' },
  decoder: {
    pattern: /^decoder-ckpt.*\.ckpt$/,
    name: 'decoder-ckpt-step=01000000-of-01000000.ckpt',
  },
  superRes: { pattern: /^improved-sr-ckpt.*\.ckpt$/, name: 'improved-sr-ckpt-step=1.2M.ckpt' },
};

export const KAKAO_FILES = Object.keys(FILES) as readonly KakaoFile[];

/**
 * Finds Kakao's files. Names with `%3D`, which browsers may write for `=`, match, too. If several names match,
 * the published one is used, or else the first.
 */
export function findKakaoFiles(names: readonly string[]): Partial<Record<KakaoFile, string>> {
  const found: Partial<Record<KakaoFile, string>> = {};
  for (const file of KAKAO_FILES) {
    const { pattern, name } = FILES[file];
    const matching = names.filter((candidate) => pattern.test(candidate));
    const chosen = matching.includes(name) ? name : matching[0];
    if (chosen !== undefined) found[file] = chosen;
  }
  return found;
}

/** The published name of a file. */
export function kakaoName(file: KakaoFile): string {
  return FILES[file].name;
}
