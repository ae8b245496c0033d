// Prints the hash of an image, for test/images/decoding/run.test.ts.
import { fileURLToPath } from 'node:url';
import { hashImage } from '../../../dist/lib/images/prepare.js';

const image = new URL('../../fixtures/pictures/heart-0.png', import.meta.url);
console.log(await hashImage(fileURLToPath(image)));
