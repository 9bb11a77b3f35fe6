import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  plugins: [react()],
  // Relative addresses: the page also works behind a prefix.
  base: './',
  build: {
    target: 'es2022',
    // The first ones with light-dark(); for older ones it would be rewritten to something that
    // Mantine's color-scheme does not set.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // The content security policy allows no inline script and no data: script or style.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1024, // scripts/check-size.mjs has the budget
  },
  server: {
    // `LLMD_URL=http://127.0.0.1:11500 npm run dev`
    proxy: { '^/llmd\\.v1\\.': { target: process.env.LLMD_URL ?? 'http://127.0.0.1:11500' } },
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.{ts,tsx}'],
    setupFiles: ['src/test-setup.ts'],
    restoreMocks: true,
  },
})
