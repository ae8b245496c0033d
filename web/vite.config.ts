import optimizeLocales from '@react-aria/optimize-locales-plugin';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Where `karlo serve` stands while the page is worked on: `npx vite web`. */
const api = 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react(), { ...optimizeLocales.vite({ locales: ['en-US'] }), enforce: 'pre' }],
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    target: 'es2022',
    // An inlined picture in a stylesheet would be harder to cache and to look at.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Of the packages that are bundled: they are published with the page.
    license: { fileName: 'licenses.md' },
  },
  server: { proxy: { '/v1': api } },
});
