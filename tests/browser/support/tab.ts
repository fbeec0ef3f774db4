/** A tab of the browser with the website in it. */
import type { Page } from "@playwright/test";

import type { Answer } from "../page/page.ts";
import type { Site } from "./site.ts";

/** What the page is told in its address. */
export interface Setup {
  mode?: "cookie" | "header";
  /** Where refreshes go instead. */
  refreshPath?: string;
  /** What refreshes have as `rid` instead. */
  rid?: string;
}

export class Tab {
  private constructor(
    readonly page: Page,
    readonly site: Site,
  ) {}

  /** Opens the website. */
  static async open(page: Page, site: Site, setup: Setup = {}): Promise<Tab> {
    const query = new URLSearchParams({ api: site.api(), ...setup });
    await page.goto(`${site.website}/?${query}`);
    return new Tab(page, site);
  }

  /** Another tab of the same browser, with the same website in it. */
  async another(): Promise<Tab> {
    const page = await this.page.context().newPage();
    await page.goto(this.page.url());
    return new Tab(page, this.site);
  }

  /** Another tab of the same browser, with a page of another origin in it. */
  async foreign(): Promise<Tab> {
    const page = await this.page.context().newPage();
    await page.goto(this.site.foreign);
    return new Tab(page, this.site);
  }

  logIn(user: string, payload: object = {}): Promise<Answer> {
    return this.post("/login", { user, payload });
  }

  get(path: string, node = 0): Promise<Answer> {
    return this.call(path, { method: "GET" }, node);
  }

  post(path: string, body?: object): Promise<Answer> {
    return this.call(path, asJson(body));
  }

  /** Calls a node as any page could, without the SDK. */
  callWithoutTheSdk(path: string, options: RequestInit = {}): Promise<Answer> {
    return this.page.evaluate(
      ([url, options]) => window.website.callWithoutTheSdk(url, options),
      [this.site.api() + path, options] as const,
    );
  }

  /** Whether the SDK says that there is a session. */
  hasSession(): Promise<boolean> {
    return this.page.evaluate(() => window.website.session.doesSessionExist());
  }

  /** What the SDK says the access token holds. */
  payload(): Promise<Record<string, unknown>> {
    return this.page.evaluate(() => window.website.session.getAccessTokenPayloadSecurely());
  }

  /** The SDK's events so far. */
  events(): Promise<string[]> {
    return this.page.evaluate(() => window.website.events);
  }

  /** Opens a WebSocket or an event stream. */
  open(what: "socket" | "events"): Promise<void> {
    const url = `${this.site.api()}/${what}`;
    return what === "socket"
      ? this.page.evaluate((url) => window.website.openSocket(url), url.replace("http", "ws"))
      : this.page.evaluate((url) => window.website.openEvents(url), url);
  }

  /** What the server has closed so far. */
  closings(): Promise<string[]> {
    return this.page.evaluate(() => window.website.closings.toSorted());
  }

  signOut(): Promise<void> {
    return this.page.evaluate(() => window.website.session.signOut());
  }

  /** The names of the cookies that this browser would send to a path of the API. */
  async cookiesFor(path: string): Promise<string[]> {
    const cookies = await this.page.context().cookies(this.site.api() + path);
    return cookies.map(({ name }) => name).sort();
  }

  /** The names of the cookies that the page can read. */
  async readableCookies(): Promise<string[]> {
    const cookies = await this.page.evaluate(() => document.cookie);
    return cookies.split("; ").map((cookie) => cookie.split("=")[0] ?? "").sort();
  }

  private call(path: string, options: RequestInit, node = 0): Promise<Answer> {
    return this.page.evaluate(
      ([url, options]) => window.website.call(url, options),
      [this.site.api(node) + path, options] as const,
    );
  }
}

function asJson(body?: object): RequestInit {
  if (body === undefined) {
    return { method: "POST" };
  }
  const headers = { "content-type": "application/json" };
  return { method: "POST", headers, body: JSON.stringify(body) };
}
