/** Access tokens expire and the callers do not see it; and what they see when it goes wrong. */
import { counted, expectOneRefresh, HOUR } from "../support/refreshing.ts";
import { expect, type Tab, test } from "../support/test.ts";

for (const mode of ["cookie", "header"] as const) {
  test(`an expired token in ${mode} mode is refreshed unseen`, async ({ visit }) => {
    const tab = await visit({}, { mode });
    await tab.logIn("ann");
    const exchanges = await tab.site.watch();
    for (const _ of [1, 2]) {
      await tab.site.advance(HOUR);
      expect(await tab.get("/stateless")).toMatchObject({ status: 200, body: { user: "ann" } });
    }
    const one = ["GET /stateless 401", "POST /auth/session/refresh 200", "GET /stateless 200"];
    expect(await exchanges()).toEqual([...one, ...one]);
    // A later expiry is another payload.
    const events = ["ACCESS_TOKEN_PAYLOAD_UPDATED", "REFRESH_SESSION"];
    expect(await tab.events()).toEqual(["SESSION_CREATED", ...events, ...events]);
  });
}

test("ten calls at once with an expired token cause one refresh", async ({ visit }) => {
  const tab = await visit();
  await tab.logIn("ann");
  await expectOneRefresh(tab.site, Array(10).fill(() => statusFor(tab)));
});

test("three tabs at once cause one refresh and all go on", async ({ visit }) => {
  const tab = await visit();
  await tab.logIn("ann");
  const tabs = [tab, await tab.another(), await tab.another()];
  await expectOneRefresh(tab.site, tabs.map((tab) => () => statusFor(tab)));
});

test("a refresh whose answer is lost can be repeated", async ({ visit }) => {
  const tab = await visit();
  await tab.logIn("ann");
  await tab.site.advance(HOUR);
  const exchanges = await tab.site.watch();
  await tab.site.damage({ path: "/auth/session/refresh", what: "lose" });
  await expect(tab.get("/stateless")).rejects.toThrow("Failed to fetch");
  expect(await exchanges()).toContain("POST /auth/session/refresh 200");

  await tab.site.damage(null);
  await tab.site.advance(10);
  expect(await tab.get("/stateless")).toMatchObject({ status: 200 });
  // The tokens of the repetition are as good as any.
  await tab.site.advance(HOUR);
  expect(await tab.get("/database")).toMatchObject({ status: 200 });
  expect(await tab.events()).not.toContain("UNAUTHORISED");
});

/** Wire case 71: such an API is no reason to refresh for ever. */
test("an API that always answers 401 is given up after ten refreshes", async ({ visit }) => {
  const tab = await visit();
  await tab.logIn("ann");
  const exchanges = await tab.site.watch();
  await expect(tab.get("/always-401")).rejects.toThrow("maximum session refresh limit");
  expect(counted(await exchanges())).toEqual({
    "GET /always-401 401": 11,
    "POST /auth/session/refresh 200": 10,
  });
  expect(await tab.get("/database")).toMatchObject({ status: 200 });
});

for (const status of [500, 503]) {
  /** Wire case 73: our own answer while the database is away (503), and what a proxy makes of it. */
  test(`a refresh that is answered ${status} leaves the session`, async ({ visit }) => {
    const tab = await visit();
    await tab.logIn("ann");
    await tab.site.advance(HOUR);
    const exchanges = await tab.site.watch();
    await tab.site.database("away");
    await tab.site.damage({ path: "/auth/session/refresh", what: { status } });
    expect(await tab.get("/stateless")).toMatchObject({ status });
    expect(await exchanges()).toEqual(["GET /stateless 401", "POST /auth/session/refresh 503"]);
    expect(await tab.hasSession()).toBe(true);
    expect(await tab.events()).toEqual(["SESSION_CREATED"]);

    await tab.site.database("back");
    await tab.site.damage(null);
    expect(await tab.get("/stateless")).toMatchObject({ status: 200, body: { user: "ann" } });
  });
}

for (const { what, setup, path, rid } of [
  {
    what: "with a slash at its end",
    setup: { refreshPath: "/auth/session/refresh/" },
    path: "/auth/session/refresh/",
    rid: "session",
  },
  {
    what: "below a tenant",
    // The cookie has the path without a tenant, so this one is for header mode.
    setup: { mode: "header", refreshPath: "/auth/t1/session/refresh" },
    path: "/auth/t1/session/refresh",
    rid: "session",
  },
  {
    what: "for another recipe",
    setup: { rid: "nope" },
    path: "/auth/session/refresh",
    rid: "nope",
  },
] as const) {
  /** Wire case 74 (what is handled): other spellings, and a `rid` that names no recipe. */
  test(`a refresh ${what} is handled`, async ({ visit }) => {
    const tab = await visit({}, setup);
    await tab.logIn("ann");
    await tab.site.advance(HOUR);
    const exchanges = await tab.site.watch();
    const sent = tab.page.waitForRequest(tab.site.api() + path);
    expect(await tab.get("/stateless")).toMatchObject({ status: 200 });
    expect(await (await sent).headerValue("rid")).toBe(rid);
    expect(await exchanges()).toContain(`POST ${path} 200`);
  });
}

/** Wire case 74 (what is not handled): other letters, and GET. */
test("a refresh elsewhere is not found", async ({ visit }) => {
  const tab = await visit({}, { refreshPath: "/Auth/session/refresh" });
  await tab.logIn("ann");
  await tab.site.advance(HOUR);
  const exchanges = await tab.site.watch();
  expect((await tab.get("/stateless")).status).toBe(404);
  expect(await exchanges()).toEqual(["GET /stateless 401", "POST /Auth/session/refresh 404"]);
  expect((await tab.callWithoutTheSdk("/auth/session/refresh")).status).toBe(404);
  expect(await tab.hasSession()).toBe(true);
});

async function statusFor(tab: Tab): Promise<number> {
  return (await tab.get("/database")).status;
}
