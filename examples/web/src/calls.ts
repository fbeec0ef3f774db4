// Calls of the server's routes. None of this knows of tokens: the SDK stands behind `fetch`, adds
// them, refreshes them when it must, and sends the call again.

import { badge, element, moodOf, onClick } from "./page";
import { onSession } from "./session";
import { api } from "./settings";

export interface Answer {
  status: number;
  body: unknown;
}

/** One call, with a body in JSON or without. */
export async function call(method: string, path: string, body?: unknown): Promise<Answer> {
  const json = { "content-type": "application/json" };
  const init = body === undefined ? { method } : { method, headers: json, body: JSON.stringify(body) };
  const response = await fetch(`${api}${path}`, init);
  const isJson = response.headers.get("content-type")?.startsWith("application/json");
  return { status: response.status, body: await (isJson ? response.json() : response.text()) };
}

/** A row for each route that takes no more than a click. */
export function showCalls(): void {
  const cells = ROUTES.map(([method, path, looksAt]) => {
    const row = element<HTMLTableSectionElement>("calls").insertRow();
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "small route", textContent: `${method} ${path}` });
    row.insertCell().append(button);
    row.insertCell().textContent = looksAt;
    const answer = row.insertCell();
    answer.dataset["answer"] = path;
    onClick(button, () => fill(answer, call(method, path)));
    return answer;
  });
  onClick(element("ten"), () => {
    const answers = Promise.all(Array.from({ length: 10 }, () => call("GET", "/profile")));
    return fill(cells[1]!, answers.then((all) => all[9]!));
  });
  onSession((payload) => {
    if (!payload) cells.forEach((cell) => cell.replaceChildren());
  });
}

/** Until there is an answer, the cell is empty: the one before it is not taken for it. */
async function fill(cell: HTMLElement, answer: Promise<Answer>): Promise<void> {
  cell.replaceChildren();
  const { status, body } = await answer;
  cell.replaceChildren(badge(String(status), moodOf(status)), " ", short(body));
}

function short(body: unknown): HTMLElement {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const shown = text.length > 100 ? `${text.slice(0, 100)}…` : text;
  return Object.assign(document.createElement("code"), { textContent: shown });
}

const ROUTES = [
  ["GET", "/hello", "a session, if any"],
  ["GET", "/profile", "the token alone"],
  ["GET", "/feed", "ended sessions in memory"],
  ["POST", "/like-comment", "the database"],
  ["GET", "/admin", "the role in the token"],
] as const;
