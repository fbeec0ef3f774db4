// The page as its user sees it.

import { type BrowserContext, type Cookie, expect, type Locator, type Page } from "@playwright/test";

export class Demo {
  private constructor(readonly page: Page) {}

  /** Opens the page, and waits until it knows whether there is a session. */
  static async open(page: Page): Promise<Demo> {
    await page.goto("/");
    const demo = new Demo(page);
    await expect(demo.state).not.toHaveText("asking…");
    return demo;
  }

  /** Opens a second tab by the link. */
  async openAnotherTab(): Promise<Demo> {
    const opened = this.page.context().waitForEvent("page");
    await this.page.getByRole("link", { name: "Open another tab" }).click();
    const demo = new Demo(await opened);
    await expect(demo.state).not.toHaveText("asking…");
    return demo;
  }

  async logIn(user: string, device = "laptop"): Promise<void> {
    await this.page.getByRole("textbox", { name: "User" }).fill(user);
    await this.page.getByRole("textbox", { name: "Device" }).fill(device);
    await this.click("Log in");
    await expect(this.state).toHaveText("logged in");
    await expect(this.page.locator("#user")).toHaveText(user);
  }

  async choose(transport: "cookies" | "headers"): Promise<void> {
    const radio = this.page.getByRole("radio", { name: transport });
    await Promise.all([this.page.waitForEvent("load"), radio.click()]);
    await expect(radio).toBeChecked();
    await expect(this.state).toHaveText("logged out");
  }

  async click(button: string): Promise<void> {
    await this.page.getByRole("button", { name: button, exact: true }).click();
  }

  /** Calls a route, and waits for its answer. */
  async call(route: string, status: number): Promise<void> {
    await this.click(route);
    await expect(this.answer(route).locator(".badge")).toHaveText(String(status));
  }

  answer(route: string): Locator {
    return this.page.locator(`[data-answer="${route.split(" ")[1]}"]`);
  }

  get state(): Locator {
    return this.page.locator("#state");
  }

  get stream(): Locator {
    return this.page.locator("#stream");
  }

  get banner(): Locator {
    return this.page.getByRole("alert");
  }

  get devices(): Locator {
    return this.page.getByRole("list", { name: "Devices of this user" }).getByRole("listitem");
  }

  get log(): Locator {
    return this.page.getByRole("log");
  }

  /** What the log has of a request, newest first: all of it, or what was answered with a status. */
  logged(request: string, status?: number): Locator {
    const name = this.page.locator("code", { hasText: new RegExp(`^${request}$`) });
    const all = this.log.getByRole("listitem").filter({ has: name });
    // Not any text of the line: it may have taken 200 ms.
    const answer = this.page.locator(".badge", { hasText: new RegExp(`^${status}$`) });
    return status === undefined ? all : all.filter({ has: answer });
  }

  async payload(): Promise<Record<string, unknown>> {
    return JSON.parse((await this.page.locator("#payload").textContent()) ?? "");
  }

  async expectLoggedOut(): Promise<void> {
    await expect(this.state).toHaveText("logged out");
    await expect(this.stream).toHaveText("closed");
    await expect(this.page.getByRole("button", { name: "Log in" })).toBeVisible();
    await expect(this.devices).toHaveCount(0);
  }
}

/** The names of the cookies that only the server can set and read. */
export async function serverCookies(context: BrowserContext): Promise<string[]> {
  const cookies = await context.cookies();
  return cookies.filter(({ httpOnly }) => httpOnly).map(({ name }) => name).sort();
}

/** Every token that the browser has, wherever it keeps it. */
export async function tokens(context: BrowserContext): Promise<string[]> {
  const names = ["sAccessToken", "sRefreshToken", "st-access-token", "st-refresh-token"];
  return (await cookies(context, names)).map(({ value }) => value);
}

/** The cookies of these names. */
export async function cookies(context: BrowserContext, names: string[]): Promise<Cookie[]> {
  return (await context.cookies()).filter(({ name }) => names.includes(name));
}
