// Tests of the page in a real browser. `cargo xtask web --test` builds the page, starts the servers
// and says here where they are.

import { defineConfig } from "@playwright/test";

const { SITES, CHROMIUM, RESULTS } = process.env;
if (!SITES || !CHROMIUM || !RESULTS) throw new Error("run `cargo xtask web --test`");
const sites = JSON.parse(SITES) as Record<string, string>;

export default defineConfig({
  testDir: "tests",
  outputDir: `${RESULTS}/failures`,
  reporter: [["list"], ["json", { outputFile: `${RESULTS}/report.json` }]],
  fullyParallel: true,
  workers: 2,
  forbidOnly: true,
  // Machines are busy at times, and a browser takes long then.
  timeout: 120_000,
  expect: { timeout: 30_000 },
  use: {
    launchOptions: { executablePath: CHROMIUM },
    viewport: { width: 1280, height: 1000 },
    locale: "en-GB",
    screenshot: "only-on-failure",
    // Without a film of it: that would take longer than the tests.
    trace: { mode: "retain-on-failure", screenshots: false },
  },
  projects: Object.entries(sites).map(([name, baseURL]) => ({ name, use: { baseURL } })),
});
