// How the page looks, and the pictures of it in the book.

import { AxeBuilder } from "@axe-core/playwright";
import { expect, test, type TestInfo } from "@playwright/test";

import { Demo } from "./demo";

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test("its picture, in which axe finds no barrier", async ({ page }, info) => {
      const demo = await Demo.open(page);
      await demo.logIn("ann");
      await demo.click("Put it into the token");
      await expect(page.locator("#nickname")).toHaveText("Zoë");
      for (const route of ["GET /hello", "GET /feed", "POST /like-comment"]) {
        await demo.call(route, 200);
      }
      await demo.call("GET /admin", 403);
      await demo.click("Refresh now");
      await expect(demo.log).toContainText("SDK: REFRESH_SESSION");
      await expect(demo.stream).toContainText("open");
      await page.evaluate(() => (document.activeElement as HTMLElement).blur());
      await page.mouse.move(0, 0);
      await page.screenshot({ path: picture(`web-${colorScheme}.png`, info) });
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
    });
  });
}

test("a narrow screen scrolls in one direction", async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  const demo = await Demo.open(page);
  await demo.logIn("pia");
  for (const route of ["GET /profile", "GET /feed"]) await demo.call(route, 200);
  await page.getByText("Everything the access token says").click();
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(width).toBeLessThanOrEqual(360);
});

test("the keyboard is enough", async ({ page }) => {
  const demo = await Demo.open(page);
  await page.getByRole("textbox", { name: "User" }).focus();
  await page.keyboard.type("quin");
  await page.keyboard.press("Enter");
  await expect(demo.state).toHaveText("logged in");
  await page.getByRole("button", { name: "Log out" }).focus();
  await page.keyboard.press("Enter");
  await demo.expectLoggedOut();
});

/** The book shows one framework's. */
function picture(name: string, info: TestInfo): string {
  const isForTheBook = process.env["UPDATE_SCREENSHOTS"] === "1" && info.project.name === "axum";
  return isForTheBook ? `../../docs/src/images/${name}` : info.outputPath(name);
}
