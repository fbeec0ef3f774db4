/** From the first visit to the sign-out, with tokens in cookies and in headers. */
import type { Site } from "../support/site.ts";
import { expect, type Tab, test } from "../support/test.ts";

/** Wire case 70: nobody knows yet whether there is a session, so the SDK asks, and never again. */
test("a first visit causes one refresh", async ({ visit }) => {
  const tab = await visit();
  expect(await tab.get("/stateless")).toMatchObject({ status: 401 });
  expect(await tab.hasSession()).toBe(false);
  await tab.logIn("ann");
  await tab.page.reload();
  expect(await tab.get("/stateless")).toMatchObject({ status: 200 });
  expect(await tab.site.exchanges()).toEqual([
    "POST /auth/session/refresh 401",
    "GET /stateless 401",
    "POST /login 200",
    "GET /stateless 200",
  ]);
});

test("a login in cookie mode keeps the tokens from scripts", async ({ visit }) => {
  const tab = await visit();
  expect(await tab.logIn("ann")).toMatchObject({ status: 200, body: { user: "ann" } });
  expect(await tab.events()).toEqual(["SESSION_CREATED"]);
  expect(await tab.hasSession()).toBe(true);
  expect(await tab.page.evaluate(() => window.website.session.getUserId())).toBe("ann");
  for (const path of ["/stateless", "/blacklist", "/database"]) {
    expect(await tab.get(path)).toMatchObject({ status: 200, body: { user: "ann" } });
  }

  const cookies = await tab.page.context().cookies(`${tab.site.api()}/auth/session/refresh`);
  expect(cookies).toContainEqual(
    expect.objectContaining({ name: "sAccessToken", path: "/", httpOnly: true, sameSite: "Lax" }),
  );
  expect(cookies).toContainEqual(
    expect.objectContaining({
      name: "sRefreshToken",
      path: "/auth/session/refresh",
      httpOnly: true,
      sameSite: "Lax",
    }),
  );
  expect(await tab.readableCookies()).toEqual(["sFrontToken", "st-last-access-token-update"]);
});

test("a login in header mode needs no cookies of the API", async ({ visit }) => {
  const tab = await visit({}, { mode: "header" });
  expect(await tab.logIn("ann")).toMatchObject({ status: 200, body: { user: "ann" } });
  expect(await tab.events()).toEqual(["SESSION_CREATED"]);
  for (const path of ["/stateless", "/blacklist", "/database"]) {
    expect(await tab.get(path)).toMatchObject({ status: 200, body: { user: "ann" } });
  }
  const cookies = await tab.page.context().cookies();
  expect(cookies.filter(({ httpOnly }) => httpOnly)).toEqual([]);
  expect(await tab.readableCookies()).toEqual([
    "sFrontToken",
    "st-access-token",
    "st-last-access-token-update",
    "st-refresh-token",
  ]);
});

for (const mode of ["cookie", "header"] as const) {
  /** Wire case 72 (with `front-token: remove`): the SDK says so and has nothing left. */
  test(`a sign-out in ${mode} mode ends the session everywhere`, async ({ visit }) => {
    const tab = await visit({}, { mode });
    await tab.logIn("ann");
    // Others may have a copy.
    const copy = await copyOfTokens(tab, mode);
    expect(await statusesFor(tab.site, copy)).toEqual([200, 200]);
    const exchanges = await tab.site.watch();
    await tab.signOut();
    expect(await tab.events()).toEqual(["SESSION_CREATED", "SIGN_OUT"]);
    expect(await tab.hasSession()).toBe(false);
    expect(await tab.cookiesFor("/auth/session/refresh")).toEqual(["st-last-access-token-update"]);
    expect(await tab.get("/stateless")).toMatchObject({ status: 401 });
    expect(await exchanges()).toEqual(["POST /auth/signout 200", "GET /stateless 401"]);
    expect(await statusesFor(tab.site, copy)).toEqual([401, 401]);
  });
}

/** Wire case 72 (without `front-token: remove`): a proxy takes the header off. */
test("a sign-out without a word to the SDK leaves its session", async ({ visit }) => {
  const tab = await visit();
  await tab.logIn("ann");
  await tab.site.damage({ path: "/auth/signout", what: { strip: "front-token" } });
  await tab.signOut();
  expect(await tab.site.exchanges()).toContain("POST /auth/signout 200");
  expect(await tab.hasSession()).toBe(true);
  expect(await tab.events()).toEqual(["SESSION_CREATED"]);
});

/** Headers that carry the access token, and the refresh token. */
interface Tokens {
  access: Record<string, string>;
  refresh: Record<string, string>;
}

/** The tokens of the tab's session, as any client can send them. */
async function copyOfTokens({ page, site }: Tab, mode: "cookie" | "header"): Promise<Tokens> {
  const cookies = await page.context().cookies([site.website, `${site.api()}/auth/session/refresh`]);
  const valueOf = (wanted: string) => {
    const cookie = cookies.find(({ name }) => name === wanted);
    if (cookie === undefined) {
      throw new Error(`there is no cookie ${wanted}`);
    }
    return cookie.value;
  };
  if (mode === "cookie") {
    const carry = (name: string) => ({ cookie: `${name}=${valueOf(name)}` });
    return { access: carry("sAccessToken"), refresh: carry("sRefreshToken") };
  }
  const carry = (name: string) => ({ authorization: `Bearer ${valueOf(name)}` });
  return { access: carry("st-access-token"), refresh: carry("st-refresh-token") };
}

/** How a call and a refresh with these are answered. */
async function statusesFor(site: Site, { access, refresh }: Tokens): Promise<number[]> {
  const called = await fetch(`${site.api()}/database`, { headers: access });
  const headers = { ...refresh, rid: "session" };
  const refreshed = await fetch(`${site.api()}/auth/session/refresh`, { method: "POST", headers });
  return [called.status, refreshed.status];
}
