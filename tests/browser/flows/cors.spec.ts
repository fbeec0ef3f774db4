/** Which pages may read what, with the framework's own CORS middleware. */
import type { Page } from "@playwright/test";

import { answerToForeign, expect, test } from "../support/test.ts";

test("the website alone is allowed, with credentials", async ({ visit }) => {
  const tab = await visit();
  await tab.logIn("ann");
  for (const [path, status] of [
    ["/stateless", 200],
    ["/auth/session/refresh", 200],
    ["/always-401", 401],
    ["/admin", 403],
  ] as const) {
    const method = path.startsWith("/auth") ? "POST" : "GET";
    const answer = await headersOf(tab.page, path, () => tab.callWithoutTheSdk(path, { method }));
    expect(answer, path).toMatchObject({
      status,
      headers: {
        "access-control-allow-origin": tab.site.website,
        "access-control-allow-credentials": "true",
      },
    });
  }
});

test("another origin gets nothing", async ({ visit, adapter }) => {
  const tab = await visit();
  await tab.logIn("ann");
  const evil = await tab.foreign();
  const exchanges = await tab.site.watch();
  for (const [path, method] of [
    ["/stateless", "GET"],
    ["/always-401", "GET"],
    ["/nowhere", "GET"],
    ["/auth/session/refresh", "POST"],
  ] as const) {
    const asked = evil.callWithoutTheSdk(path, { method });
    await expect(asked, path).rejects.toThrow("Failed to fetch");
  }
  // All were answered; the page does not learn it.
  expect(await exchanges()).toEqual([
    `GET /stateless ${answerToForeign(adapter, 401)}`,
    `GET /always-401 ${answerToForeign(adapter, 401)}`,
    `GET /nowhere ${answerToForeign(adapter, 404)}`,
    `POST /auth/session/refresh ${answerToForeign(adapter, 401)}`,
  ]);
  // With a header of its own it has to ask first, and is not allowed to.
  const withHeader = { headers: { rid: "anything" } };
  const refused = evil.callWithoutTheSdk("/stateless", withHeader);
  await expect(refused).rejects.toThrow("Failed to fetch");
  expect(await exchanges()).toHaveLength(4);
});

for (const { mode, antiCsrf, names } of [
  { mode: "cookie", antiCsrf: "none", names: ["front-token"] },
  { mode: "cookie", antiCsrf: "viaToken", names: ["anti-csrf", "front-token"] },
  {
    mode: "header",
    antiCsrf: "none",
    names: ["front-token", "st-access-token", "st-refresh-token"],
  },
] as const) {
  test(`a page can read ${names.join(", ")} in ${mode} mode`, async ({ visit }) => {
    const tab = await visit({ antiCsrf }, { mode });
    const ours = ["front-token", "st-access-token", "st-refresh-token", "anti-csrf"];
    const answer = await tab.logIn("ann");
    expect(Object.keys(answer.headers).filter((name) => ours.includes(name)).sort()).toEqual(names);
  });
}

/** What the browser was answered, whether or not it lets the page see it. */
async function headersOf(
  page: Page,
  path: string,
  ask: () => Promise<unknown>,
): Promise<{ status: number; headers: Record<string, string> }> {
  const answered = page.waitForResponse((response) => new URL(response.url()).pathname === path);
  await ask();
  const response = await answered;
  return { status: response.status(), headers: await response.allHeaders() };
}
