// npm run docs:images: makes the images of the gallery, of docs/guide/clip-space.md and of docs/guide/unclip.md with
// karlo-tiny, and writes docs/gallery.md. It needs a build.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../build/ready.mjs';
import { gallery, galleryPage, make } from './gallery.mjs';

const target = join(root, 'docs', 'images', 'gallery');
mkdirSync(target, { recursive: true });
// Commands do not overwrite files.
const folder = mkdtempSync(join(tmpdir(), 'karlo-gallery-'));
for (const image of gallery) {
  make(image, folder);
  copyFileSync(join(folder, image.file), join(target, image.file));
  console.log(image.file);
}
rmSync(folder, { recursive: true });
writeFileSync(join(root, 'docs', 'gallery.md'), galleryPage());
await import('./clip-space-images.mjs');
await import('./unclip-images.mjs');
