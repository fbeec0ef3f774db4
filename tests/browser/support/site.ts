/** Sites, which the program `site` runs and steers. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { PAGES } from "./build.ts";

/** Where sites have their databases: what a run that was broken off leaves there, the next removes. */
const DATABASES = new URL("../../../target/browser/databases/", import.meta.url).pathname;

/** What a test wants of a site; the rest is as it comes. */
export interface Settings {
  nodes?: number;
  hosts?: "sameSite" | "crossSite";
  antiCsrf?: "none" | "viaToken" | "viaCustomHeader";
}

/**
 * Something that is done to every answer to requests for a path, once the server has given it; preflight
 * requests are left alone.
 */
export interface Damage {
  path: string;
  what: "lose" | "hold" | { strip: string } | { status: number };
}

interface Addresses {
  website: string;
  foreign: string;
  apis: string[];
}

interface Exchange {
  node: number;
  method: string;
  path: string;
  status: number;
}

/** The program, for one adapter. */
export class Program {
  private constructor(
    private readonly process: ChildProcessWithoutNullStreams,
    private readonly control: string,
    private readonly log: string[],
  ) {}

  static async start(adapter: string): Promise<Program> {
    const program = process.env.SITE;
    if (program === undefined) {
      throw new Error("SITE does not say where the program `site` is: run `cargo xtask browser`");
    }
    // It ends when its input does, which is when this process ends, at the latest.
    const child = spawn(program, ["--adapter", adapter, "--pages", PAGES, "--databases", DATABASES]);
    const log: string[] = [];
    createInterface(child.stderr).on("line", (line) => log.push(line));
    const control = await new Promise<string>((started, failed) => {
      createInterface(child.stdout).once("line", started);
      child.once("error", failed);
      child.once("close", () => failed(new Error(`\`site\` does not start:\n${log.join("\n")}`)));
    });
    return new Program(child, control, log);
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) {
      return;
    }
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.stdin.end();
    await ended;
  }

  /** What it has logged since this was last asked. */
  takeLog(): string {
    return this.log.splice(0).join("\n");
  }

  async startSite(settings: Settings): Promise<Site> {
    const started = await ask(`${this.control}/sites`, "POST", settings);
    const { id, addresses } = started as { id: number; addresses: Addresses };
    return new Site(`${this.control}/sites/${id}`, addresses);
  }
}

/** Nodes on one store, with a clock that only a test turns, and a website. */
export class Site {
  constructor(
    private readonly control: string,
    private readonly addresses: Addresses,
  ) {}

  /** The website's origin. */
  get website(): string {
    return this.addresses.website;
  }

  /** The same pages at an origin that is none of the application's. */
  get foreign(): string {
    return this.addresses.foreign;
  }

  /** The origin of a node; the pages know the first. */
  api(node = 0): string {
    const api = this.addresses.apis[node];
    if (api === undefined) {
      throw new Error(`there is no node ${node}`);
    }
    return api;
  }

  /** Turns the clock of the whole site. */
  advance(seconds: number): Promise<unknown> {
    return this.obey({ advance: seconds });
  }

  /** Everybody has this role from now on; at first, all are members. */
  setRole(role: string): Promise<unknown> {
    return this.obey({ role });
  }

  /** A node ends all sessions of a user; done when every node knows. */
  revoke(node: number, user: string): Promise<unknown> {
    return this.obey({ revoke: { node, user } });
  }

  /** Takes the database away, or gives it back. */
  database(presence: "away" | "back"): Promise<unknown> {
    return this.obey({ database: presence });
  }

  /** Damages answers from now on, or nothing more. */
  damage(damage: Damage | null): Promise<unknown> {
    return this.obey({ damage });
  }

  /** What the nodes were asked and how they answered, but for what a browser asks by itself. */
  async exchanges(): Promise<string[]> {
    const exchanges = (await ask(this.control, "GET")) as Exchange[];
    return exchanges
      .filter(({ method, path }) => method !== "OPTIONS" && path !== "/favicon.ico")
      .map(({ method, path, status }) => `${method} ${path} ${status}`);
  }

  /** The exchanges from now on. */
  async watch(): Promise<() => Promise<string[]>> {
    const before = (await this.exchanges()).length;
    return async () => (await this.exchanges()).slice(before);
  }

  end(): Promise<unknown> {
    return ask(this.control, "DELETE");
  }

  private obey(command: object): Promise<unknown> {
    return ask(this.control, "POST", command);
  }
}

async function ask(url: string, method: string, body?: object): Promise<unknown> {
  const response = await fetch(url, {
    method,
    headers: { "content-type": "application/json" },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`${method} ${url} ${JSON.stringify(body)}: ${response.status} ${text}`);
  }
  return JSON.parse(text);
}
