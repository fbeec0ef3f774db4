// The list of what went over the wire, and of what the SDK said about it.

import { badge, clock, element, moodOf } from "./page";
import { type Exchange, onExchange } from "./wire";

/** Adds what the SDK, or the server on its event stream, said. */
export function logEvent(text: string): void {
  add("event", [code(text)]);
}

function logExchange(exchange: Exchange): void {
  const { method, path, status, message } = exchange;
  const answer = status ? badge(String(status), moodOf(status)) : badge("–", "wait");
  const parts = [code(`${method} ${path}`), answer, soft(`${exchange.milliseconds} ms`)];
  if (message) parts.push(soft(message));
  add("exchange", parts, [headers("→", exchange.sent), headers("←", exchange.received)]);
}

function add(kind: string, parts: HTMLElement[], below: HTMLElement[] = []): void {
  const item = document.createElement("li");
  item.className = kind;
  item.append(soft(clock(Date.now())), line(parts), line(below.filter((part) => part.textContent)));
  list.prepend(item);
  while (list.children.length > LONGEST) list.lastElementChild?.remove();
}

function headers(arrow: string, names: string[]): HTMLElement {
  return names.length > 0 ? code(`${arrow} ${names.join(", ")}`) : soft("");
}

function line(parts: HTMLElement[]): HTMLElement {
  const line = document.createElement("div");
  line.append(...parts);
  return line;
}

function code(text: string): HTMLElement {
  return Object.assign(document.createElement("code"), { textContent: text });
}

function soft(text: string): HTMLElement {
  return Object.assign(document.createElement("span"), { textContent: text, className: "soft" });
}

const LONGEST = 200;
const list = element("log");
element("clear-log").addEventListener("click", () => list.replaceChildren());
onExchange(logExchange);
