// What a thief can do with a refresh token, and what becomes of it.

import SuperTokens from "supertokens-website";

import { element, onClick } from "./page";
import { onSession } from "./session";
import { api } from "./settings";
import { watchedFetch } from "./wire";

/** Wires the card up. */
export function showThief(): void {
  const say = (text: string) => void (element("theft").textContent = text);
  onClick(element("steal"), async () => {
    const stolen = copyOfTheRefreshToken();
    if (!stolen) {
      say("Nothing to steal: no script can read the cookie that the refresh token is in.");
      return;
    }
    for (let times = 0; times < REFRESHES; times += 1) await SuperTokens.attemptRefreshingSession();
    say(await use(stolen));
  });
  let handle: string | undefined;
  onSession((payload) => {
    element<HTMLButtonElement>("steal").disabled = payload === undefined;
    if (payload && payload.sessionHandle !== handle) say("");
    handle = payload?.sessionHandle;
  });
}

/** In header mode the SDK keeps the tokens where scripts can read them. */
function copyOfTheRefreshToken(): string | undefined {
  const cookie = document.cookie.split("; ").find((cookie) => cookie.startsWith(KEPT_IN));
  return cookie?.slice(KEPT_IN.length) || undefined;
}

/** From a machine of his own, so without the SDK. */
async function use(token: string): Promise<string> {
  const response = await watchedFetch(`${api}/auth/session/refresh`, {
    method: "POST",
    credentials: "omit",
    headers: { authorization: `Bearer ${token}`, rid: "session", "st-auth-mode": "header" },
  });
  const { message } = (await response.json()) as { message?: string };
  return response.ok ? "The copy still works." : `The thief was told: ${message}.`;
}

const KEPT_IN = "st-refresh-token=";
/** More than the server forgives at once; one is enough when half a minute has passed since. */
const REFRESHES = 9;
