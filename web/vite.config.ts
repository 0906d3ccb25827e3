import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { pieces } from './pieces.ts';

// In development the pages come from here and everything else from a real server (`dunlin serve`).
const server = process.env.DUNLIN_SERVER ?? 'http://127.0.0.1:7411';
const served = ['/api', '/assets', '/ledger', '/sign-in', '/sign-out', '/set-up', '/second-factor', '/enrol',
  '/recover', '/invitation', '/password', '/account', '/device', '/healthz', '/tell', '/status'];

export default defineConfig({
  plugins: [react(), pieces()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  server: {
    port: 5173,
    proxy: Object.fromEntries(served.map((path) => [path, {
      target: server,
      // The server takes changes from its own pages only; here its page is this address.
      changeOrigin: true,
      configure: (proxy: { on(event: 'proxyReq', f: (r: { setHeader(n: string, v: string): void }) => void): void }) => {
        proxy.on('proxyReq', (request) => request.setHeader('origin', server));
      },
    }])),
  },
  build: {
    target: 'es2022',
    assetsDir: 'app',
    // Nothing inlined: the content security policy allows this origin alone, no data: addresses.
    assetsInlineLimit: 0,
    modulePreload: {
      polyfill: false,
      // What the boot leads to stands in the page already (`pieces.ts`).
      resolveDependencies: (_file, needed, { hostId }) => (/boot/.test(hostId) ? [] : needed),
    },
    manifest: true,
    reportCompressedSize: false,
    rolldownOptions: {
      output: {
        // Few files: on a slow line each costs a question of its own.
        codeSplitting: {
          groups: [
            { name: 'boot', priority: 10, test: /src[\\/](boot\.ts|i18n[\\/](language|format)\.ts|api[\\/]early|app[\\/](pieces|theme|turns)\.ts|pages[\\/]work[\\/](question|settings|filter)\.ts|grid[\\/]page\.ts)|vite[\\/]preload-helper|rolldown[\\/]runtime/ },
            { name: 'react', test: /node_modules[\\/](react|react-dom|scheduler|use-sync-external-store)[\\/]/ },
            { name: 'libraries', test: /node_modules[\\/](@tanstack[\\/](?!react-virtual|virtual)|openapi-fetch)/ },
            { name: 'shell', test: /src[\\/](ui[\\/]|messages[\\/](common|overview)\.en|app[\\/](?!theme\.ts|pieces|turns)|i18n[\\/]index|main\.tsx|pages[\\/]overview[\\/](strip|ahead)|pages[\\/]tell[\\/](requests[\\/])?api|api[\\/](client|queries))/ },
          ],
        },
      },
    },
  },
  test: { environment: 'jsdom', include: ['src/**/*.test.{ts,tsx}'] },
});
