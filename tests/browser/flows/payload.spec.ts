/** What the access token says: claims and the application's own. */
import { expect, test } from "../support/test.ts";

const PAYLOAD = { name: "Zoë Ångström", city: "東京 🗼", text: 'a "quoted" \\ ﷽ \u0000\u2028' };

for (const mode of ["cookie", "header"] as const) {
  test(`a payload beyond ASCII comes back whole in ${mode} mode`, async ({ visit }) => {
    const tab = await visit({}, { mode });
    await tab.logIn("ann", PAYLOAD);
    expect(await tab.payload()).toMatchObject(PAYLOAD);
    const answer = { status: 200, body: { payload: PAYLOAD } };
    expect(await tab.get("/stateless")).toMatchObject(answer);
    await tab.site.advance(3600);
    expect(await tab.get("/stateless")).toMatchObject(answer);
    expect(await tab.payload()).toMatchObject(PAYLOAD);
  });

  test(`a changed payload reaches the SDK in ${mode} mode`, async ({ visit }) => {
    const tab = await visit({}, { mode });
    await tab.logIn("ann", { theme: "light", nickname: "Annie" });
    expect(await tab.post("/payload", { theme: "dark", nickname: null })).toMatchObject({
      status: 200,
    });
    expect(await tab.events()).toEqual(["SESSION_CREATED", "ACCESS_TOKEN_PAYLOAD_UPDATED"]);
    const payload = await tab.payload();
    expect(payload).toMatchObject({ theme: "dark", sub: "ann" });
    expect(payload).not.toHaveProperty("nickname");
    expect(await tab.get("/stateless")).toMatchObject({ body: { payload: { theme: "dark" } } });
  });
}

test("a claim that is refused can be fetched again", async ({ visit }) => {
  const tab = await visit();
  await tab.logIn("ann");
  const invalid = (url: string) => window.website.invalidClaims(url);
  expect(await tab.page.evaluate(invalid, `${tab.site.api()}/admin`)).toEqual(["role"]);
  expect(await tab.events()).toEqual(["SESSION_CREATED", "API_INVALID_CLAIM"]);
  expect(await tab.hasSession()).toBe(true);

  await tab.site.setRole("admin");
  expect(await tab.get("/admin")).toMatchObject({ status: 403, body: { message: "invalid claim" } });
  expect(await tab.post("/role")).toMatchObject({ status: 200 });
  expect(await tab.payload()).toMatchObject({ role: { v: "admin" } });
  expect(await tab.get("/admin")).toMatchObject({ status: 200, body: { user: "ann" } });
});

test("a claim that has grown old is fetched by itself", async ({ visit }) => {
  const tab = await visit();
  await tab.site.setRole("admin");
  await tab.logIn("ann");
  await tab.site.setRole("member");
  await tab.site.advance(300);
  expect(await tab.get("/admin")).toMatchObject({ status: 200 });
  await tab.site.advance(1);
  expect(await tab.get("/admin")).toMatchObject({
    status: 403,
    body: { claimValidationErrors: [{ id: "role" }] },
  });

  await tab.site.setRole("admin");
  await tab.site.advance(301);
  expect(await tab.get("/admin")).toMatchObject({ status: 200 });
  expect(await tab.payload()).toMatchObject({ role: { v: "admin" } });
  expect(await tab.events()).toEqual([
    "SESSION_CREATED",
    "API_INVALID_CLAIM",
    "ACCESS_TOKEN_PAYLOAD_UPDATED",
  ]);
});
