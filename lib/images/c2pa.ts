// C2PA (https://spec.c2pa.org): signed manifests that say how an image was made. This package has no signer; it gives the
// manifest's contents, in the JSON that c2patool and the C2PA SDKs read.
import { packageVersion } from '../util/package.js';
import { type DigitalSourceType, digitalSourceScheme } from './source-type.js';

/** A manifest definition, as c2patool and `Builder` of the C2PA SDKs read it. */
export interface C2paManifest {
  /** The program that makes the claim. */
  readonly claim_generator_info: readonly { readonly name: string; readonly version: string }[];
  /** Statements about the image: that it was created, by which program, and with generative AI. */
  readonly assertions: readonly { readonly label: string; readonly data: object }[];
}

/** The manifest definition of an image with this digital source type. */
export function c2paManifestOf(digitalSourceType: DigitalSourceType): C2paManifest {
  const karlo = { name: 'karlo', version: packageVersion() };
  const created = {
    action: 'c2pa.created',
    digitalSourceType: `${digitalSourceScheme}${digitalSourceType}`,
    softwareAgent: karlo,
  };
  return {
    claim_generator_info: [karlo],
    assertions: [{ label: 'c2pa.actions.v2', data: { actions: [created] } }],
  };
}
