// What goes over the wire: a `fetch` that tells of each request. The SDK is started after it, so what
// the SDK sends of its own accord goes through it, too.

/** A request and its answer, without anything that is secret. */
export interface Exchange {
  method: string;
  path: string;
  /** None where there was no answer. */
  status: number | undefined;
  milliseconds: number;
  /** The names of the session headers. */
  sent: string[];
  received: string[];
  /** What a refusal says, or why there was no answer. */
  message: string | undefined;
}

/** The browser's `fetch`, watched. The SDK does not touch what goes through this one. */
export const watchedFetch: typeof fetch = async (input, init) => {
  const request = new Request(input, init);
  const began = performance.now();
  const exchange: Exchange = {
    method: request.method,
    path: new URL(request.url).pathname,
    status: undefined,
    milliseconds: 0,
    sent: namesOf(request.headers, REQUEST_HEADERS),
    received: [],
    message: "no answer",
  };
  try {
    const response = await browsersFetch(request);
    exchange.status = response.status;
    exchange.received = namesOf(response.headers, RESPONSE_HEADERS);
    exchange.message = await messageOf(response);
    return response;
  } finally {
    exchange.milliseconds = Math.round(performance.now() - began);
    watchers.forEach((watcher) => watcher(exchange));
  }
};

/** Calls back after each answer. */
export function onExchange(watcher: (exchange: Exchange) => void): void {
  watchers.push(watcher);
}

function namesOf(headers: Headers, names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const value = headers.get(name);
    if (value === null) return [];
    // Neither of these is a token: they take one away.
    return value === "" || value === "remove" ? [`${name} (cleared)`] : [name];
  });
}

async function messageOf(response: Response): Promise<string | undefined> {
  if (response.ok) return undefined;
  const body: unknown = await response.clone().json().catch(() => undefined);
  const message = (body as { message?: unknown } | undefined)?.message;
  return typeof message === "string" ? message : undefined;
}

const REQUEST_HEADERS = ["authorization", "st-auth-mode", "rid", "fdi-version", "anti-csrf"];
const RESPONSE_HEADERS = ["front-token", "st-access-token", "st-refresh-token", "anti-csrf"];

const browsersFetch = window.fetch.bind(window);
const watchers: ((exchange: Exchange) => void)[] = [];
window.fetch = watchedFetch;
