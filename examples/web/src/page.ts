// The elements of the page, found by their id.

/** The element with this id, which `index.html` has. */
export function element<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as T;
}

/** Runs an action on each click. Meanwhile the button is off, and what fails is said. */
export function onClick(button: HTMLButtonElement, action: () => Promise<unknown>): void {
  button.addEventListener("click", () => void alone(button, action));
}

/** Runs an action with what is in a form each time that it is sent. */
export function onSubmit(
  form: HTMLFormElement,
  action: (fields: Record<string, string>) => Promise<unknown>,
): void {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(form)) as Record<string, string>;
    void alone(form.querySelector("button")!, () => action(fields));
  });
}

async function alone(button: HTMLButtonElement, action: () => Promise<unknown>): Promise<void> {
  button.disabled = true;
  try {
    await action();
  } catch (problem) {
    warn(`That did not work: ${problem instanceof Error ? problem.message : String(problem)}`);
  } finally {
    button.disabled = false;
  }
}

/** Says something above everything else. Without a text, nothing is left to say. */
export function warn(text = ""): void {
  element("banner").textContent = text;
}

export type Mood = "good" | "bad" | "wait" | "";

/** A word or a number in a colour. */
export function badge(text: string, mood: Mood): HTMLElement {
  return show(document.createElement("span"), text, mood);
}

/** Makes an element a badge. */
export function show<T extends HTMLElement>(place: T, text: string, mood: Mood): T {
  place.textContent = text;
  place.className = `badge ${mood}`.trim();
  return place;
}

/** The colour of a status. */
export function moodOf(status: number): Mood {
  if (status < 300) return "good";
  return status < 500 ? "bad" : "wait";
}

/** A button in a list, with a name that says what it is about. */
export function smallButton(text: string, label: string): HTMLButtonElement {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", textContent: text, className: "small" });
  button.setAttribute("aria-label", label);
  return button;
}

/** A time of day. */
export function clock(milliseconds: number): string {
  return new Date(milliseconds).toLocaleTimeString([], { hour12: false });
}
