/** A Python wheel. */
export interface Pin {
  /** Its name and version, as pip takes them: `nvidia-cuda-runtime==13.0.96`. */
  readonly requirement: string;
  readonly sha256: string;
  readonly bytes: number;
  /** The files to unpack from it; a name that ends in `/` is a whole folder. */
  readonly take: readonly string[];
}
