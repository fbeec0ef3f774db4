/** Requests that carry the cookies and are none of the website's. */
import type { Answer } from "../page/page.ts";
import { expect, type Tab, test } from "../support/test.ts";

const HOUR = 3600;
const REFUSED = { status: 401, body: { message: "try refresh token" } };
const ACCEPTED = { status: 200, body: { user: "ann" } };

test("an anti-CSRF token goes along with what the SDK sends", async ({ visit }) => {
  const tab = await visit({ antiCsrf: "viaToken" });
  await tab.logIn("ann");
  expect(await tab.readableCookies()).toContain("sAntiCsrf");
  expect(await tab.post("/stateless")).toMatchObject(ACCEPTED);
  await tab.site.advance(HOUR);
  expect(await tab.post("/stateless")).toMatchObject(ACCEPTED);
  expect(await tab.callWithoutTheSdk("/stateless", { method: "POST" })).toMatchObject(REFUSED);
  const forged = { method: "POST", headers: { "anti-csrf": "guessed" } };
  expect(await tab.callWithoutTheSdk("/stateless", forged)).toMatchObject(REFUSED);
  // Which changes nothing, and so is not checked.
  expect(await tab.callWithoutTheSdk("/stateless")).toMatchObject(ACCEPTED);
  await tab.signOut();
  expect(await tab.hasSession()).toBe(false);
  expect(await tab.readableCookies()).not.toContain("sAntiCsrf");
});

test("a refresh without the anti-CSRF token is refused", async ({ visit }) => {
  const tab = await visit({ antiCsrf: "viaToken" });
  await tab.logIn("ann");
  const refresh = { method: "POST", headers: { rid: "session" } };
  expect(await tab.callWithoutTheSdk("/auth/session/refresh", refresh)).toMatchObject({
    status: 401,
    body: { message: "unauthorised" },
  });
});

test("the custom header goes along with what the SDK sends", async ({ visit }) => {
  const tab = await visit({ antiCsrf: "viaCustomHeader" });
  await tab.logIn("ann");
  expect(await tab.post("/stateless")).toMatchObject(ACCEPTED);
  await tab.site.advance(HOUR);
  expect(await tab.post("/stateless")).toMatchObject(ACCEPTED);
  expect(await tab.callWithoutTheSdk("/stateless", { method: "POST" })).toMatchObject(REFUSED);
  const withHeader = { method: "POST", headers: { rid: "anything" } };
  expect(await tab.callWithoutTheSdk("/stateless", withHeader)).toMatchObject(ACCEPTED);
});

test.describe("across sites", () => {
  test.use({ thirdPartyCookies: true });

  for (const antiCsrf of ["viaToken", "viaCustomHeader"] as const) {
    test(`another site cannot act as the user, ${antiCsrf}`, async ({ visit }) => {
      const tab = await visit({ hosts: "crossSite", antiCsrf });
      await tab.logIn("ann");
      expect(await tab.post("/stateless")).toMatchObject(ACCEPTED);

      const evil = await tab.foreign();
      const exchanges = await tab.site.watch();
      // What any site can send: a form, and a request that asks for no permission.
      expect(await submitForm(evil, "/stateless")).toMatchObject(REFUSED);
      const simple = { method: "POST", mode: "no-cors" } as const;
      await evil.callWithoutTheSdk("/stateless", simple);
      expect(await exchanges()).toEqual(["POST /stateless 401", "POST /stateless 401"]);
      // With a header of its own it has to ask, and is not allowed to.
      const withHeader = { method: "POST", headers: { rid: "session" } };
      const refused = evil.callWithoutTheSdk("/stateless", withHeader);
      await expect(refused).rejects.toThrow("Failed to fetch");
      expect(await exchanges()).toHaveLength(2);
      // The cookies did go along: where nothing is changed, they are enough.
      const response = await evil.page.goto(`${tab.site.api()}/stateless`);
      expect(response?.status()).toBe(200);
    });
  }

  test("without an anti-CSRF check another site can act as the user", async ({ visit }) => {
    const tab = await visit({ hosts: "crossSite", antiCsrf: "none" });
    await tab.logIn("ann");
    expect(await submitForm(await tab.foreign(), "/stateless")).toMatchObject(ACCEPTED);
  });
});

/** Submits a form to the API, which another page takes the place of, and comes back. */
async function submitForm({ page, site }: Tab, path: string): Promise<Partial<Answer>> {
  const leads = page.waitForNavigation();
  await page.evaluate((url) => {
    const form = document.createElement("form");
    form.method = "POST";
    form.action = url;
    document.body.append(form);
    form.submit();
  }, site.api() + path);
  const response = await leads;
  const answer = { status: response?.status(), body: await response?.json() };
  await page.goBack();
  return answer;
}
