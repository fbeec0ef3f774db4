import { defineConfig } from "@playwright/test";

import type { Options } from "./support/test.ts";

const adapters = ["axum", "actix", "rocket", "warp", "poem"];
const results = "../../target/browser";

export default defineConfig<object, Options>({
  testDir: "flows",
  outputDir: `${results}/results`,
  globalSetup: "./support/build.ts",
  fullyParallel: true,
  forbidOnly: true,
  workers: 2,
  // Machines are busy at times, and a browser takes long then.
  timeout: 120_000,
  expect: { timeout: 30_000 },
  reporter: [["list"], ["json", { outputFile: `${results}/report.json` }]],
  use: {
    // Of the sites on two domains: nobody but this machine has vouched for them.
    ignoreHTTPSErrors: true,
    launchOptions: {
      executablePath: process.env.CHROMIUM,
      args: ["--host-resolver-rules=MAP *.test 127.0.0.1"],
    },
    screenshot: "only-on-failure",
    trace: { mode: "retain-on-failure", screenshots: false },
  },
  projects: adapters.map((adapter) => ({ name: adapter, use: { adapter } })),
});
