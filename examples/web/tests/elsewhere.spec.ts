// What happens elsewhere: in other tabs, on other devices, and in the hands of a thief.

import { expect, test } from "@playwright/test";

import { cookies, Demo, tokens } from "./demo";

test("tabs follow each other", async ({ page }) => {
  const one = await Demo.open(page);
  const two = await one.openAnotherTab();
  await one.logIn("jon");
  await expect(two.state).toHaveText("logged in");
  const streams = () => Promise.all([one, two].map(({ stream }) => stream.textContent()));
  const others = async () => (await streams()).filter((text) => text === "another tab listens");
  await expect.poll(others).toHaveLength(1);
  await two.page.getByLabel("New nickname").fill("Jonny");
  await two.click("Put it into the token");
  await expect(one.page.locator("#nickname")).toHaveText("Jonny");
  await two.click("Log out");
  await two.expectLoggedOut();
  await one.expectLoggedOut();
});

test("when the tab that listens is closed, another listens", async ({ page }) => {
  const one = await Demo.open(page);
  await one.logIn("kim");
  await expect(one.stream).toContainText("open");
  const two = await one.openAnotherTab();
  await expect(two.stream).toHaveText("another tab listens");
  await one.page.close();
  await expect(two.stream).toContainText("open");
});

test("a session that one tab ends is over in the other", async ({ page }) => {
  const one = await Demo.open(page);
  await one.logIn("leo");
  const two = await one.openAnotherTab();
  await two.click("End the session on laptop");
  await two.expectLoggedOut();
  await one.expectLoggedOut();
});

test("a device that another ends hears of it at once", async ({ page, browser, baseURL }) => {
  const laptop = await Demo.open(page);
  await laptop.logIn("mia", "laptop");
  await expect(laptop.stream).toContainText("open");
  const context = await browser.newContext({ baseURL: baseURL! });
  const phone = await Demo.open(await context.newPage());
  await phone.logIn("mia", "phone");
  await expect(phone.devices).toHaveCount(2);

  await phone.click("End the session on laptop");
  await laptop.expectLoggedOut();
  await expect(laptop.log).toContainText("event stream: the session has ended");
  await expect(laptop.log).toContainText("SDK: UNAUTHORISED");
  await expect(laptop.banner).toContainText("this session was ended elsewhere");
  await expect(phone.devices).toHaveCount(1);
  await expect(phone.state).toHaveText("logged in");
  await context.close();
});

test("one device ends all others", async ({ page, browser, baseURL }) => {
  const laptop = await Demo.open(page);
  await laptop.logIn("ned", "laptop");
  const context = await browser.newContext({ baseURL: baseURL! });
  const phone = await Demo.open(await context.newPage());
  await phone.logIn("ned", "phone");
  await expect(phone.stream).toContainText("open");
  await laptop.click("End all others");
  await phone.expectLoggedOut();
  await expect(laptop.devices).toHaveCount(1);
  await expect(laptop.state).toHaveText("logged in");
  await context.close();
});

test("a stolen refresh token ends the session when it is used", async ({ page, context }) => {
  const demo = await Demo.open(page);
  await demo.choose("headers");
  await demo.logIn("oda");
  await expect(demo.stream).toContainText("open");
  await demo.click("Steal the refresh token");
  await expect(page.locator("#theft")).toHaveText("The thief was told: token theft detected.");
  await demo.expectLoggedOut();
  await expect(demo.banner).toContainText("You are logged out");
  expect(await tokens(context)).toEqual([]);
});

test("an owner who comes after the thief is told of him", async ({ page, context }) => {
  const demo = await Demo.open(page);
  await demo.choose("headers");
  await demo.logIn("rae");
  const [owners] = await cookies(context, ["st-refresh-token"]);
  // The thief has the same token, and has used it, and those that came of it, while the owner was away.
  for (let times = 1; times <= 9; times += 1) {
    await demo.click("Refresh now");
    await expect(demo.logged("POST /auth/session/refresh")).toHaveCount(times);
    await expect(page.getByRole("button", { name: "Refresh now" })).toBeEnabled();
  }
  await context.addCookies([owners!]);
  await demo.click("Refresh now");
  await demo.expectLoggedOut();
  await expect(demo.banner).toContainText("as a thief would");
  expect(await tokens(context)).toEqual([]);
});
