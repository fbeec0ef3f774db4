/**
 * The website: the SDK as its documentation says to start it, and what a test does with it. The
 * settings are in the address, so that a page that is loaded again has the same.
 */
import * as SuperTokens from "supertokens-website";

/** An answer as a caller of `fetch` sees it. */
export interface Answer {
  status: number;
  body: unknown;
  headers: Record<string, string>;
}

const settings = new URLSearchParams(location.search);
const events: string[] = [];
const closings: string[] = [];

const website = {
  session: SuperTokens,

  /** The SDK's events so far. */
  events,

  /** Which connections have opened and closed by themselves so far. */
  closings,

  /** Calls an API with `fetch`, which the SDK has wrapped. */
  async call(url: string, options: RequestInit = {}): Promise<Answer> {
    const response = await fetch(url, options);
    const isJson = response.headers.get("content-type")?.startsWith("application/json");
    const body: unknown = await (isJson ? response.json() : response.text());
    return { status: response.status, body, headers: Object.fromEntries(response.headers) };
  },

  /** The same past the SDK: what any page could do. */
  callWithoutTheSdk(url: string, options: RequestInit = {}): Promise<Answer> {
    return website.call(`${url}?superTokensDoNotDoInterception`, {
      credentials: "include",
      ...options,
    });
  },

  /** The claims that an API refuses this session for. */
  async invalidClaims(url: string): Promise<string[]> {
    const response = await fetch(url);
    const errors = await SuperTokens.getInvalidClaimsFromResponse({ response });
    return errors.map((error) => error.id);
  },

  /** Opens a WebSocket; done once the server has said that it is open. */
  openSocket(url: string): Promise<void> {
    return new Promise((opened, failed) => {
      const socket = new WebSocket(url);
      socket.onmessage = () => opened();
      socket.onerror = () => failed(new Error("the WebSocket does not open"));
      socket.onclose = () => closings.push("socket");
    });
  },

  /** Opens an event stream; done once the server has said that it is open. */
  openEvents(url: string): Promise<void> {
    return new Promise((opened, failed) => {
      const stream = new EventSource(url, { withCredentials: true });
      stream.onerror = () => failed(new Error("the event stream does not open"));
      stream.onmessage = ({ data }) => {
        if (data === "open") {
          opened();
          return;
        }
        // Else the browser would connect again.
        stream.close();
        closings.push(`events: ${data}`);
      };
    });
  },
};

const apiDomain = settings.get("api");
if (apiDomain !== null) {
  const refreshPath = settings.get("refreshPath");
  const rid = settings.get("rid");
  SuperTokens.init({
    apiDomain,
    tokenTransferMethod: settings.get("mode") === "header" ? "header" : "cookie",
    onHandleEvent: (event) => events.push(event.action),
    preAPIHook: async ({ url, requestInit, action }) => {
      if (action !== "REFRESH_SESSION") {
        return { url, requestInit };
      }
      const headers = new Headers(requestInit.headers);
      if (rid !== null) {
        headers.set("rid", rid);
      }
      return { url: refreshPath ? apiDomain + refreshPath : url, requestInit: { ...requestInit, headers } };
    },
  });
}

declare global {
  interface Window {
    website: typeof website;
  }
}
window.website = website;
