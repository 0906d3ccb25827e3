import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// In development the pages come from here and everything else from a real server (`dunlin serve`).
const server = process.env.DUNLIN_SERVER ?? 'http://127.0.0.1:7411';
const served = ['/api', '/assets', '/ledger', '/sign-in', '/sign-out', '/set-up', '/second-factor', '/enrol',
  '/recover', '/invitation', '/password', '/account', '/device', '/healthz', '/tell', '/status'];

export default defineConfig({
  plugins: [react()],
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
    modulePreload: { polyfill: false },
    manifest: true,
    reportCompressedSize: false,
  },
  test: { environment: 'jsdom', include: ['src/**/*.test.{ts,tsx}'] },
});
