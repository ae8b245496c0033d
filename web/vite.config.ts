import optimizeLocales from '@react-aria/optimize-locales-plugin';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The address of `karlo serve` during development with `npx vite web`. */
const api = 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react(), { ...optimizeLocales.vite({ locales: ['en-US'] }), enforce: 'pre' }],
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    target: 'es2022',
    // Keeps the drawings as files that browsers cache.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The licenses of the bundled packages are published with the page.
    license: { fileName: 'licenses.md' },
  },
  server: { proxy: { '/v1': api } },
});
