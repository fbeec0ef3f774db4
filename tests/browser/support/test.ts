/** The tests' `test`: with sites of the adapter that is under test, which end with the test. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { test as base } from "@playwright/test";

import { Program, type Settings, type Site } from "./site.ts";
import { type Setup, Tab } from "./tab.ts";

export { expect } from "@playwright/test";
export type { Setup, Tab };

/** What a project says. */
export interface Options {
  adapter: string;
}

/** What a test says. */
interface Wishes {
  /**
   * Whether cookies go along with requests to another site. Distributions and private windows, which
   * tests have otherwise as they open much faster, keep them back.
   */
  thirdPartyCookies: boolean;
}

interface Fixtures {
  /** Starts a site. */
  start: (settings?: Settings) => Promise<Site>;
  /** Starts a site and opens its website in a new browser. */
  visit: (settings?: Settings, setup?: Setup) => Promise<Tab>;
}

export const test = base.extend<Fixtures & Wishes, Options & { program: Program }>({
  adapter: ["axum", { scope: "worker", option: true }],

  program: [
    async ({ adapter }, use) => {
      const program = await Program.start(adapter);
      await use(program);
      await program.stop();
    },
    { scope: "worker" },
  ],

  start: async ({ program }, use, info) => {
    const sites: Site[] = [];
    program.takeLog();
    await use(async (settings = {}) => {
      const site = await program.startSite(settings);
      sites.push(site);
      return site;
    });
    if (info.status !== info.expectedStatus) {
      const asked = await Promise.all(sites.map((site) => site.exchanges()));
      await info.attach("what the nodes were asked", { body: asked.flat().join("\n") });
      await info.attach("what the nodes have logged", { body: program.takeLog() });
    }
    await Promise.all(sites.map((site) => site.end()));
  },

  thirdPartyCookies: [false, { option: true }],

  context: async ({ context, playwright, thirdPartyCookies }, use, info) => {
    if (!thirdPartyCookies) {
      return use(context);
    }
    const profile = info.outputPath("profile");
    const preferences = { profile: { cookie_controls_mode: COOKIES_OF_ALL_SITES } };
    await mkdir(join(profile, "Default"), { recursive: true });
    await writeFile(join(profile, "Default/Preferences"), JSON.stringify(preferences));
    try {
      const ordinary = await playwright.chromium.launchPersistentContext(profile);
      await use(ordinary);
      await ordinary.close();
    } finally {
      // Processes of the browser may still write to it for a moment.
      await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    }
  },

  visit: async ({ start, page }, use) => {
    await use(async (settings, setup) => Tab.open(page, await start(settings), setup));
  },
});

/** What a request of another origin is answered: poem's CORS middleware lets none in. */
export function answerToForeign(adapter: string, otherwise: number): number {
  return adapter === "poem" ? 403 : otherwise;
}

/** Chromium's number for it. */
const COOKIES_OF_ALL_SITES = 0;
