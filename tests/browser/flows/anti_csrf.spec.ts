/** Requests that carry the cookies and are none of the website's. */
import { answerToForeign, expect, type Tab, test } from "../support/test.ts";

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
  const { headers } = await tab.logIn("ann");
  const refresh = (headers: Record<string, string>) =>
    tab.callWithoutTheSdk("/auth/session/refresh", { method: "POST", headers });
  const token = headers["anti-csrf"] ?? "none was given";
  expect(await refresh({ rid: "session", "anti-csrf": token })).toMatchObject({ status: 200 });
  expect(await refresh({ rid: "session" })).toMatchObject({
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
    test(`another site cannot act as the user, ${antiCsrf}`, async ({ visit, adapter }) => {
      const tab = await visit({ hosts: "crossSite", antiCsrf });
      await tab.logIn("ann");
      expect(await tab.post("/stateless")).toMatchObject(ACCEPTED);

      const evil = await tab.foreign();
      const refused = `POST /stateless ${answerToForeign(adapter, 401)}`;
      const exchanges = await tab.site.watch();
      // What any site can send: a form, and a request that asks for no permission.
      await submitForm(evil, "/stateless");
      await evil.callWithoutTheSdk("/stateless", { method: "POST", mode: "no-cors" });
      // The cookies do go along: where nothing is changed, they are enough.
      await evil.callWithoutTheSdk("/stateless", { mode: "no-cors" });
      expect(await exchanges()).toEqual([refused, refused, "GET /stateless 200"]);
      // With a header of its own it has to ask, and is not allowed to.
      const withHeader = { method: "POST", headers: { rid: "session" } };
      const asked = evil.callWithoutTheSdk("/stateless", withHeader);
      await expect(asked).rejects.toThrow("Failed to fetch");
      expect(await exchanges()).toHaveLength(3);
    });
  }
});

/** Submits a form to the API, whose answer takes the page's place, and comes back. */
async function submitForm({ page, site }: Tab, path: string): Promise<void> {
  const leads = page.waitForNavigation();
  await page.evaluate((url) => {
    const form = document.createElement("form");
    form.method = "POST";
    form.action = url;
    document.body.append(form);
    form.submit();
  }, site.api() + path);
  await leads;
  await page.goBack();
}
