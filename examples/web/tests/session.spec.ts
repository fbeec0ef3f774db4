// One tab: logging in, calling, refreshing, logging out.

import { expect, test } from "@playwright/test";

import { Demo, serverCookies, tokens } from "./demo";

/** Wire case 70: one refresh, and no other until there is a session. */
test("a stranger's first visit asks once", async ({ page }) => {
  const demo = await Demo.open(page);
  await expect(demo.state).toHaveText("logged out");
  await demo.call("GET /hello", 200);
  await expect(demo.answer("GET /hello")).toContainText("hello, stranger");
  await demo.call("GET /profile", 401);
  await expect(demo.logged("POST /auth/session/refresh")).toHaveCount(1);
  await expect(demo.banner).toBeEmpty();
});

test("tokens in cookies are out of reach of every script", async ({ page, context }) => {
  const demo = await Demo.open(page);
  await demo.logIn("bea");
  expect(await serverCookies(context)).toEqual(["sAccessToken", "sRefreshToken"]);
  const scripts = await page.evaluate(() => document.cookie);
  for (const token of await tokens(context)) expect(scripts).not.toContain(token);
  await expect(demo.logged("POST /login")).toContainText("← front-token");
  await expect(demo.stream).toContainText("open");
  await demo.click("Steal the refresh token");
  await expect(page.locator("#theft")).toContainText("Nothing to steal");
});

test("tokens in headers are with the SDK", async ({ page, context }) => {
  const demo = await Demo.open(page);
  await demo.choose("headers");
  await demo.logIn("cid");
  expect(await serverCookies(context)).toEqual([]);
  const received = "front-token, st-access-token, st-refresh-token";
  await expect(demo.logged("POST /login")).toContainText(`← ${received}`);
  await demo.call("POST /like-comment", 200);
  await expect(demo.logged("POST /like-comment")).toContainText("→ authorization");
  await page.reload();
  await expect(demo.state).toHaveText("logged in");
  await demo.click("Log out");
  await demo.expectLoggedOut();
  expect(await tokens(context)).toEqual([]);
});

test("every route answers, and the admin's refuses others", async ({ page }) => {
  const demo = await Demo.open(page);
  await demo.logIn("dan");
  await demo.call("GET /profile", 200);
  for (const route of ["GET /hello", "GET /feed", "POST /like-comment"]) {
    await demo.call(route, 200);
    await expect(demo.answer(route)).toContainText("dan");
  }
  await demo.call("GET /admin", 403);
  await expect(demo.log).toContainText("SDK: API_INVALID_CLAIM");
  await expect(demo.state).toHaveText("logged in");
});

test("an admin is let in", async ({ page }) => {
  const demo = await Demo.open(page);
  await demo.logIn("admin");
  await expect(page.locator("#role")).toHaveText("admin");
  await demo.call("GET /admin", 200);
});

test("a nickname is in the token at once, and after a refresh", async ({ page }) => {
  const demo = await Demo.open(page);
  await demo.logIn("eve");
  await page.getByLabel("New nickname").fill("Ève 🦀");
  await demo.click("Put it into the token");
  await expect(page.locator("#nickname")).toHaveText("Ève 🦀");
  await expect(demo.log).toContainText("SDK: ACCESS_TOKEN_PAYLOAD_UPDATED");
  await demo.click("Refresh now");
  await expect(demo.log).toContainText("SDK: REFRESH_SESSION");
  expect(await demo.payload()).toMatchObject({ sub: "eve", nickname: "Ève 🦀" });
});

test("a refused call is refreshed and sent again, and ten share one refresh", async ({ page, context }) => {
  const demo = await Demo.open(page);
  await demo.logIn("fay");
  const refreshes = demo.logged("POST /auth/session/refresh");
  const before = await refreshes.count();
  const loseTheAccessToken = () => context.clearCookies({ name: "sAccessToken" });

  await loseTheAccessToken();
  await demo.call("GET /profile", 200);
  await expect(demo.logged("GET /profile")).toHaveCount(2);
  await expect(demo.logged("GET /profile", 401)).toHaveCount(1);
  await expect(refreshes).toHaveCount(before + 1);

  await loseTheAccessToken();
  await demo.click("Ten at once");
  await expect(demo.logged("GET /profile", 200)).toHaveCount(11);
  await expect(refreshes).toHaveCount(before + 2);
});

test("the countdown ends, and a page that is opened then refreshes by itself", async ({ page }) => {
  await page.clock.install();
  const demo = await Demo.open(page);
  await demo.logIn("gus");
  await expect(page.getByText(/good for \d+ s/)).toBeVisible();
  await page.clock.fastForward(61_000);
  await expect(page.getByText("The access token has expired.")).toBeVisible();
  await expect(demo.state).toHaveText("to be refreshed");
  await page.reload();
  await expect(demo.state).toHaveText("logged in");
  await expect(demo.logged("POST /auth/session/refresh", 200)).toHaveCount(1);
});

test("logging out ends the session", async ({ page, context }) => {
  const demo = await Demo.open(page);
  await demo.logIn("hal");
  await demo.click("Log out");
  await demo.expectLoggedOut();
  expect(await serverCookies(context)).toEqual([]);
  await expect(demo.logged("POST /auth/signout")).toContainText("front-token (cleared)");
  await expect(demo.banner).toBeEmpty();
});

test("no token is shown anywhere", async ({ page, context }) => {
  const demo = await Demo.open(page);
  await demo.choose("headers");
  await demo.logIn("ida");
  await demo.call("GET /profile", 200);
  await demo.click("Refresh now");
  await expect(demo.log).toContainText("SDK: REFRESH_SESSION");
  const shown = await page.content();
  const kept = await tokens(context);
  expect(kept).toHaveLength(2);
  for (const token of kept) expect(shown).not.toContain(token);
});

test("a server that is away is not taken for a session that is over", async ({ page, context }) => {
  const demo = await Demo.open(page);
  await demo.logIn("sue");
  await context.clearCookies({ name: "sAccessToken" });
  await page.route("**/auth/session/refresh", (route) => route.abort());
  await demo.click("GET /profile");
  await expect(demo.banner).toContainText("That did not work");
  await expect(demo.state).toHaveText("logged in");
  await page.unroute("**/auth/session/refresh");
  await demo.call("GET /profile", 200);
});

test("a page that is opened while the server is away can still log in later", async ({ page }) => {
  await page.route("**/auth/session/refresh", (route) => route.abort());
  const demo = await Demo.open(page);
  await expect(demo.state).toHaveText("logged out");
  await expect(demo.logged("POST /auth/session/refresh").first()).toContainText("no answer");
  await page.unroute("**/auth/session/refresh");
  await demo.logIn("tom");
});
