/** The namespace of the one property, `recipe`, which is the recipe as JSON. */
export const namespace = 'karlo:ns:recipe/';

/** An XMP packet that holds a recipe. */
export function xmpOf(json: string): string {
  return [
    '<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>',
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">',
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">',
    `<rdf:Description rdf:about="" xmlns:karlo="${namespace}">`,
    `<karlo:recipe>${escapeXml(json)}</karlo:recipe>`,
    '</rdf:Description></rdf:RDF></x:xmpmeta>',
    '<?xpacket end="w"?>',
  ].join('');
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

// What XML cannot hold or tools may drop can only stand in JSON's strings, where it can be escaped.
// C0 controls and lone surrogates JSON.stringify has escaped already.
function escapeXml(json: string): string {
  return json
    .replace(/[&<>]/g, (character) => entities[character] as string)
    .replace(/[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g, jsonEscape);
}

function jsonEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
