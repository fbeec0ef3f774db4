// The session as the SDK knows it, in this tab and in all others.

import SuperTokens from "supertokens-website";

import { logEvent } from "./log";
import { warn } from "./page";
import { api, transport } from "./settings";
import { onExchange } from "./wire";

/** What the access token says. Claims are values with the time at which they were fetched. */
export interface Payload {
  sub: string;
  sessionHandle: string;
  iat: number;
  exp: number;
  role?: { v: string; t: number };
  nickname?: string;
}

type Action = Parameters<NonNullable<Parameters<typeof SuperTokens.init>[0]["onHandleEvent"]>>[0];

/** Starts the SDK, and then asks it whether there is a session. */
export function start(): void {
  SuperTokens.init({
    apiDomain: api,
    tokenTransferMethod: transport,
    onHandleEvent: (event) => {
      logEvent(`SDK: ${event.action}`);
      follow(event);
      // Cookies tell nobody that they have changed, so tabs tell each other.
      if (event.action !== "API_INVALID_CLAIM") tabs.postMessage(told(event));
    },
  });
  tabs.addEventListener("message", ({ data }: MessageEvent<Told>) => {
    logEvent(`another tab: ${data.action}`);
    if (data.farewell) warn(data.farewell);
    look();
    // What the other tab wrote into its cookies may be here later than its message.
    setTimeout(look, A_MOMENT);
  });
  look();
}

/** Calls back with the session, or without one, each time that something has changed. */
export function onSession(watcher: (payload: Payload | undefined) => void): void {
  watchers.push(watcher);
}

/** The server says that the session has ended. The SDK learns it, and forgets its tokens, by asking. */
export async function hasEnded(): Promise<void> {
  await SuperTokens.attemptRefreshingSession();
}

interface Told {
  action: string;
  farewell: string;
}

function told(event: Action): Told {
  return { action: event.action, farewell: farewell(event) };
}

function follow(event: Action): void {
  const text = farewell(event);
  if (text) warn(text);
  if (event.action === "SESSION_CREATED") warn();
  // The SDK tells in the middle of its work, and would wait for itself.
  setTimeout(look);
}

/** What to say when a session is over that nobody here has ended. */
function farewell(event: Action): string {
  if (event.action !== "UNAUTHORISED" || !event.sessionExpiredOrRevoked) return "";
  return refusal === "token theft detected"
    ? "You are logged out: someone used a refresh token that had long been replaced, as a thief would."
    : "You are logged out: this session was ended elsewhere, or it has expired.";
}

/** One look after the other: what was seen first is not to be shown last. */
function look(): void {
  looks = looks.then(read).catch((problem) => warn(`The session cannot be read: ${problem}`));
}

/** Where the access token has expired, asking makes the SDK refresh it. */
async function read(): Promise<void> {
  const exists = await SuperTokens.doesSessionExist();
  const payload = exists ? ((await SuperTokens.getAccessTokenPayloadSecurely()) as Payload) : undefined;
  watchers.forEach((watcher) => watcher(payload));
}

const watchers: ((payload: Payload | undefined) => void)[] = [];
const tabs = new BroadcastChannel("session");
let looks = Promise.resolve();
const A_MOMENT = 500;

let refusal: string | undefined;
onExchange(({ path, message }) => {
  if (path === "/auth/session/refresh") refusal = message;
});
