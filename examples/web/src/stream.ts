// The event stream, on which the server says that the session has ended, without being asked.

import { logEvent } from "./log";
import { element, type Mood, show } from "./page";
import { hasEnded, onSession } from "./session";
import { api } from "./settings";

/** Opens a stream when a session begins, and closes it when the session is over. */
export function listen(): void {
  let handle: string | undefined;
  let open = new AbortController();
  onSession((payload) => {
    if (payload?.sessionHandle === handle) return;
    handle = payload?.sessionHandle;
    open.abort();
    open = new AbortController();
    if (handle) void keepOpen(open.signal);
    else say("closed", "");
  });
}

/** One tab listens for all, since browsers open few connections at once to a server. */
async function keepOpen(signal: AbortSignal): Promise<void> {
  say("another tab listens", "");
  const whileMine = async () => {
    while (!(await read(signal))) {
      say("broken off", "wait");
      await new Promise((again) => setTimeout(again, 3000));
    }
  };
  await navigator.locks.request("stream", { signal }, whileMine).catch(() => undefined);
}

/** Reads one stream to its end. Whether there is no more to listen to. */
async function read(signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(`${api}/events`, { signal });
    if (response.status === 401) return true;
    if (!response.ok || !response.body) return false;
    let unread = "";
    let ticks = 0;
    for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
      const events = (unread + text).split("\n\n");
      unread = events.pop() ?? "";
      for (const event of events) {
        if (isNamed(event, "tick")) say(`open, tick ${++ticks}`, "good");
        if (isNamed(event, "ended")) {
          logEvent("event stream: the session has ended");
          await hasEnded();
          return true;
        }
      }
    }
  } catch {
    // The connection is lost, or this tab has closed the stream.
  }
  return signal.aborted;
}

/** The space after the colon may be there or not. */
function isNamed(event: string, name: string): boolean {
  return event.split("\n").some((line) => line === `event:${name}` || line === `event: ${name}`);
}

function say(text: string, mood: Mood): void {
  show(element("stream"), text, mood);
}
