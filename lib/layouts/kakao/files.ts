/** The five files of the Kakao layout. */
export type KakaoFile = 'clip' | 'stats' | 'prior' | 'decoder' | 'superRes';

interface KakaoPattern {
  pattern: RegExp;
  /** As Kakao publishes it. */
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
 * Which of `names` are Kakao's files. `%3D` (a browser's form of `=`) is understood; of several
 * that fit, the published name is taken, or else the first in order.
 */
export function findKakaoFiles(names: readonly string[]): Partial<Record<KakaoFile, string>> {
  const found: Partial<Record<KakaoFile, string>> = {};
  for (const file of KAKAO_FILES) {
    const { pattern, name } = FILES[file];
    const fitting = names.filter((candidate) => pattern.test(candidate));
    const chosen = fitting.includes(name) ? name : fitting[0];
    if (chosen !== undefined) found[file] = chosen;
  }
  return found;
}

/** The published name of a file. */
export function kakaoName(file: KakaoFile): string {
  return FILES[file].name;
}
