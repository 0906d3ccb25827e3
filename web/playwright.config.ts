// Browser tests over the built binary. For each worker `e2e/setup.ts` seeds one workspace and serves it; another one stays as
// a first visitor finds it.
import { defineConfig } from '@playwright/test';
import { BASE, STATE, WORKERS } from './e2e/places';

export default defineConfig({
  testDir: './e2e',
  outputDir: './test-results/out',
  globalSetup: './e2e/setup.ts',
  fullyParallel: false,
  workers: WORKERS,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  retries: process.env.CI ? 1 : 0,
  reporter: process.env.CI ? [['list'], ['html', { open: 'never' }]] : 'list',
  use: {
    baseURL: BASE,
    storageState: STATE,
    locale: 'en-GB',
    timezoneId: 'Europe/Madrid',
    trace: 'retain-on-failure',
    launchOptions: {
      // The Chromium of the system, where there is one; else Playwright's own.
      executablePath: process.env.CHROMIUM ?? undefined,
      args: ['--no-sandbox'],
    },
  },
});
