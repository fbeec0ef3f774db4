/** What the page "Front ends" shows for those who do without the SDK, as it stands there. */
import { readFile } from "node:fs/promises";

import type { Page } from "@playwright/test";
import { transform } from "esbuild";

import { expectOneRefresh, HOUR } from "../support/refreshing.ts";
import type { Site } from "../support/site.ts";
import { expect, test } from "../support/test.ts";

declare global {
  /** What the lines export. */
  var documented: { call(path: string, init?: RequestInit): Promise<Response> };
}

test("the documented lines log in, and refresh unseen", async ({ start, page }) => {
  const site = await start();
  await open(page, site);
  expect(await logIn(page)).toBe(200);
  expect(await call(page, "/stateless")).toBe(200);
  await site.advance(HOUR);
  const watched = await site.watch();
  expect(await call(page, "/stateless")).toBe(200);
  expect(await watched()).toEqual([
    "GET /stateless 401",
    "POST /auth/session/refresh 200",
    "GET /stateless 200",
  ]);
});

test("the documented lines refresh once for ten calls in two tabs", async ({ start, page }) => {
  const site = await start();
  await open(page, site);
  await logIn(page);
  const other = await page.context().newPage();
  await open(other, site);
  const five = (tab: Page) => Array(5).fill(() => call(tab, "/database"));
  await expectOneRefresh(site, [...five(page), ...five(other)]);
});

test("the documented lines give a refusal to whoever asked", async ({ start, page }) => {
  const site = await start({ nodes: 2 });
  await open(page, site);
  await logIn(page);
  await site.revoke(1, "ann");
  expect(await call(page, "/blacklist")).toBe(401);
  expect(await site.exchanges()).not.toContain("POST /auth/session/refresh 401");
});

test("the documented lines hand out what a refresh that fails is answered", async ({ start, page }) => {
  const site = await start({ nodes: 2 });
  await open(page, site);
  await logIn(page);
  await site.advance(HOUR);
  await site.database("away");
  expect(await call(page, "/stateless")).toBe(503);
  await site.database("back");
  expect(await call(page, "/stateless")).toBe(200);
  await site.revoke(1, "ann");
  await site.advance(HOUR);
  expect(await call(page, "/stateless")).toBe(401);
  expect(await site.exchanges()).toContain("POST /auth/session/refresh 401");
});

/** Opens a page of the website that has no SDK in it, and adds the lines. */
async function open(page: Page, site: Site): Promise<void> {
  await page.goto(`${site.website}/page.js`);
  await page.addScriptTag({ content: await lines(site.api()) });
}

async function lines(api: string): Promise<string> {
  const text = await readFile(new URL("../../../docs/src/front-ends.md", import.meta.url), "utf8");
  const blocks = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, block]) => block ?? "");
  const shown = blocks.find((block) => block.includes("navigator.locks"));
  const code = shown?.replace('"https://api.example.com"', JSON.stringify(api));
  if (code === undefined || code === shown) {
    throw new Error("the page does not show the lines any more");
  }
  const built = await transform(code, { loader: "ts", format: "iife", globalName: "documented" });
  return built.code;
}

function logIn(page: Page): Promise<number> {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ user: "ann", payload: {} });
  return call(page, "/login", { method: "POST", headers, body });
}

function call(page: Page, path: string, init: RequestInit = {}): Promise<number> {
  return page.evaluate(
    async ([path, init]) => (await documented.call(path, init)).status,
    [path, init] as const,
  );
}
