/** Calls that find their access token expired at the same time. */
import { expect } from "@playwright/test";

import type { Site } from "./site.ts";

export const HOUR = 3600;

/**
 * All of these call `/database` with an expired token before any of them has another. The others come
 * while the refresh of the first is under way: the SDK's lock between tabs is a matter of milliseconds,
 * so on a busy machine two that reach for it at the same moment may both get it.
 */
export async function expectOneRefresh(site: Site, callers: (() => Promise<number>)[]): Promise<void> {
  await site.advance(HOUR);
  await site.damage({ path: "/auth/session/refresh", what: "hold" });
  const exchanges = await site.watch();
  const countOf = async (exchange: string) => counted(await exchanges())[exchange];
  const [first, ...others] = callers;
  const calls = [first!()];
  await expect.poll(() => countOf("POST /auth/session/refresh 200")).toBe(1);
  calls.push(...others.map((call) => call()));
  await expect.poll(() => countOf("GET /database 401")).toBe(callers.length);
  await site.damage(null);
  expect(await Promise.all(calls)).toEqual(callers.map(() => 200));
  expect(counted(await exchanges())).toEqual({
    "GET /database 401": callers.length,
    "POST /auth/session/refresh 200": 1,
    "GET /database 200": callers.length,
  });
}

/** How often each exchange was there. */
export function counted(exchanges: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const exchange of exchanges) {
    counts[exchange] = (counts[exchange] ?? 0) + 1;
  }
  return counts;
}
