import optimizeLocales from '@react-aria/optimize-locales-plugin';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The address of `karlo serve` during development with `npx vite web`. */
const api = 'http://127.0.0.1:8080';

function pathOf(file: string): string {
  return new URL(file, import.meta.url).pathname;
}

export default defineConfig({
  plugins: [react(), { ...optimizeLocales.vite({ locales: ['en-US'] }), enforce: 'pre' }],
  build: {
    outDir: '../dist/web',
    rolldownOptions: { input: ['index.html', '404.html'].map(pathOf) },
    emptyOutDir: true,
    target: 'es2022',
    // Keeps the drawings as files that browsers cache.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
    // The licenses of the bundled packages are published with the page.
    license: { fileName: 'licenses.md' },
  },
  server: { proxy: { '/v1': api } },
});
