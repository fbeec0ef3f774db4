/** Website and API on two registrable domains, over TLS. */
import { expect, test } from "../support/test.ts";

test.use({ thirdPartyCookies: true });

const HOUR = 3600;

test("a session across sites is as good as any", async ({ visit }) => {
  const tab = await visit({ hosts: "crossSite" });
  await tab.logIn("ann");
  const cookies = await tab.page.context().cookies(`${tab.site.api()}/auth/session/refresh`);
  for (const name of ["sAccessToken", "sRefreshToken"]) {
    expect(cookies).toContainEqual(
      expect.objectContaining({ name, httpOnly: true, secure: true, sameSite: "None" }),
    );
  }
  expect(await tab.get("/database")).toMatchObject({ status: 200, body: { user: "ann" } });
  await tab.site.advance(HOUR);
  expect(await tab.post("/stateless")).toMatchObject({ status: 200, body: { user: "ann" } });
  await tab.signOut();
  expect(await tab.hasSession()).toBe(false);
  expect(await tab.cookiesFor("/auth/session/refresh")).toEqual([]);
  expect((await tab.site.exchanges()).slice(2)).toEqual([
    "GET /database 200",
    "POST /stateless 401",
    "POST /auth/session/refresh 200",
    "POST /stateless 200",
    "POST /auth/signout 200",
  ]);
});

test("a session across sites asks for the custom header, if nothing else is said", async ({ visit }) => {
  const tab = await visit({ hosts: "crossSite" });
  await tab.logIn("ann");
  expect(await tab.callWithoutTheSdk("/stateless", { method: "POST" })).toMatchObject({
    status: 401,
    body: { message: "try refresh token" },
  });
  const withHeader = { method: "POST", headers: { rid: "anything" } };
  expect(await tab.callWithoutTheSdk("/stateless", withHeader)).toMatchObject({ status: 200 });
});

test("a WebSocket and an event stream across sites close with the session", async ({ visit }) => {
  const tab = await visit({ hosts: "crossSite" });
  await tab.logIn("ann");
  await tab.open("socket");
  await tab.open("events");
  await tab.signOut();
  await expect.poll(() => tab.closings()).toEqual(["events: ended", "socket"]);
});

test.describe("where cookies of other sites are kept back", () => {
  test.use({ thirdPartyCookies: false });

  test("a session across sites is of no use in cookie mode", async ({ visit }) => {
    const tab = await visit({ hosts: "crossSite" });
    await tab.logIn("ann");
    expect(await tab.cookiesFor("/auth/session/refresh")).toEqual([]);
    expect(await tab.get("/database")).toMatchObject({ status: 401 });
  });

  test("a session across sites is as good as any in header mode", async ({ visit }) => {
    const tab = await visit({ hosts: "crossSite" }, { mode: "header" });
    await tab.logIn("ann");
    expect(await tab.get("/database")).toMatchObject({ status: 200, body: { user: "ann" } });
    await tab.site.advance(HOUR);
    const exchanges = await tab.site.watch();
    expect(await tab.post("/stateless")).toMatchObject({ status: 200, body: { user: "ann" } });
    await tab.signOut();
    expect(await tab.hasSession()).toBe(false);
    expect(await exchanges()).toEqual([
      "POST /stateless 401",
      "POST /auth/session/refresh 200",
      "POST /stateless 200",
      "POST /auth/signout 200",
    ]);
  });
});
