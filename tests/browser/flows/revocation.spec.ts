/** A session is ended elsewhere, or stolen. */
import { expect, test } from "../support/test.ts";

const HOUR = 3600;

for (const path of ["/blacklist", "/database"]) {
  test(`a session that another node ended is over at once on ${path}`, async ({ visit }) => {
    const tab = await visit({ nodes: 2 });
    await tab.logIn("ann");
    expect(await tab.get(path)).toMatchObject({ status: 200 });
    await tab.site.revoke(1, "ann");

    const exchanges = await tab.site.watch();
    expect(await tab.get("/stateless")).toMatchObject({ status: 200 });
    expect(await tab.get(path)).toMatchObject({ status: 401, body: { message: "unauthorised" } });
    expect(await tab.hasSession()).toBe(false);
    // Once for the tokens that are taken away, once for the status.
    expect(await tab.events()).toEqual(["SESSION_CREATED", "UNAUTHORISED", "UNAUTHORISED"]);
    expect(await tab.cookiesFor(path)).toEqual(["st-last-access-token-update"]);
    expect(await tab.get("/stateless")).toMatchObject({ status: 401 });
    expect(await exchanges()).toEqual([
      "GET /stateless 200",
      `GET ${path} 401`,
      "GET /stateless 401",
    ]);
  });
}

test("a session that another node ended goes on where nobody looks, until its token expires", async ({
  visit,
}) => {
  const tab = await visit({ nodes: 2 });
  await tab.logIn("ann");
  await tab.site.revoke(1, "ann");
  await tab.site.advance(HOUR - 1);
  expect(await tab.get("/stateless")).toMatchObject({ status: 200 });
  expect(await tab.hasSession()).toBe(true);

  await tab.site.advance(1);
  const exchanges = await tab.site.watch();
  expect(await tab.get("/stateless")).toMatchObject({ status: 401 });
  expect(await exchanges()).toEqual(["GET /stateless 401", "POST /auth/session/refresh 401"]);
  expect(await tab.hasSession()).toBe(false);
  expect(await tab.events()).toEqual(["SESSION_CREATED", "UNAUTHORISED"]);
});

test("a session lives on every node", async ({ visit }) => {
  const tab = await visit({ nodes: 2 });
  await tab.logIn("ann");
  expect(await tab.get("/database", 1)).toMatchObject({ status: 200, body: { user: "ann" } });
  await tab.site.advance(HOUR);
  expect(await tab.get("/database", 1)).toMatchObject({ status: 200, body: { user: "ann" } });
});

test("a thief and the owner of a refresh token are both logged out", async ({ visit }) => {
  const tab = await visit();
  await tab.logIn("ann");
  const refreshUrl = `${tab.site.api()}/auth/session/refresh`;
  const refresh = async (cookie: string) => {
    return fetch(refreshUrl, { method: "POST", headers: { cookie, rid: "session" } });
  };
  const cookies = await tab.page.context().cookies(refreshUrl);
  const stolen = cookies.find(({ name }) => name === "sRefreshToken");
  const theft = await refresh(`sRefreshToken=${stolen?.value}`);
  expect(theft.status).toBe(200);
  const loot = theft.headers.getSetCookie().map((line) => line.split(";")[0]).join("; ");
  const asThief = (path: string) => fetch(tab.site.api() + path, { headers: { cookie: loot } });
  expect((await asThief("/database")).status).toBe(200);

  await tab.site.advance(HOUR - 1);
  expect((await asThief("/stateless")).status).toBe(200);
  await tab.site.advance(1);
  expect(await tab.get("/stateless")).toMatchObject({
    status: 401,
    body: { message: "token theft detected" },
  });
  expect(await tab.hasSession()).toBe(false);
  expect(await tab.events()).toEqual(["SESSION_CREATED", "UNAUTHORISED"]);
  expect(await tab.cookiesFor("/auth/session/refresh")).toEqual(["st-last-access-token-update"]);
  expect((await refresh(loot)).status).toBe(401);
});

test("a WebSocket and an event stream close when another node ends the session", async ({
  visit,
}) => {
  const tab = await visit({ nodes: 2 });
  await tab.logIn("ann");
  await tab.open("socket");
  await tab.open("events");
  expect(await tab.closings()).toEqual([]);

  await tab.site.revoke(1, "ann");
  await expect.poll(() => tab.closings()).toEqual(["events: ended", "socket"]);
  await expect(tab.open("socket")).rejects.toThrow("does not open");
  await expect(tab.open("events")).rejects.toThrow("does not open");
});
