// What the page is told when it is built, and what its user chose.

/** Where the server is, such as `http://127.0.0.1:3000`. */
export const api: string = import.meta.env.VITE_API ?? "http://127.0.0.1:3000";

/** What the server is built with. */
export const framework: string = import.meta.env.VITE_FRAMEWORK ?? "some framework";

/** How tokens travel. */
export type Transport = "cookie" | "header";

/** The choice holds for all tabs, as the session does. */
export const transport: Transport =
  localStorage.getItem("transport") === "header" ? "header" : "cookie";

/** The SDK is told once, when it starts: so the page starts anew, and so do its other tabs. */
export function choose(chosen: Transport): void {
  localStorage.setItem("transport", chosen);
  location.reload();
}

addEventListener("storage", ({ key }) => {
  if (key === "transport") location.reload();
});
