// Logging in and out, and what the session says.

import SuperTokens from "supertokens-website";
import { DateProviderReference } from "supertokens-website/utils/dateProvider";

import { call } from "./calls";
import { element, onClick, onSubmit, show, warn } from "./page";
import { onSession, type Payload } from "./session";
import { choose, transport, type Transport } from "./settings";

/** Wires the card up. */
export function showAccount(): void {
  onSubmit(element("login"), async ({ user, device }) => {
    const { status, body } = await call("POST", "/login", { user, device });
    if (status !== 200) warn(`Not logged in: ${(body as { message: string }).message}`);
  });
  onSubmit(element("nickname-form"), ({ nickname }) => call("POST", "/nickname", { nickname }));
  onClick(element("refresh"), () => SuperTokens.attemptRefreshingSession());
  onClick(element("log-out"), () => SuperTokens.signOut());
  for (const radio of document.querySelectorAll<HTMLInputElement>("[name=transport]")) {
    radio.checked = radio.value === transport;
    radio.addEventListener("change", () => choose(radio.value as Transport));
  }
  onSession((payload) => {
    known = payload;
    describe(payload);
    count();
  });
  setInterval(count, 1000);
}

function describe(payload: Payload | undefined): void {
  element("login").hidden = payload !== undefined;
  element("session").hidden = payload === undefined;
  if (!payload) {
    show(element("state"), "logged out", "");
    return;
  }
  element("user").textContent = payload.sub;
  element("role").textContent = payload.role?.v ?? "–";
  element("nickname").textContent = payload.nickname ?? "–";
  element("handle").textContent = payload.sessionHandle;
  element("transport").textContent = transport === "cookie" ? "cookies" : "headers";
  element("payload").textContent = JSON.stringify(payload, null, 2);
}

/** How long the access token is still good for, by the server's clock as far as the SDK knows it. */
function count(): void {
  if (!known) return;
  const now = DateProviderReference.getReferenceOrThrow().dateProvider.now();
  const left = Math.max(0, Math.ceil(known.exp - now / 1000));
  const bar = element<HTMLProgressElement>("countdown");
  Object.assign(bar, { max: known.exp - known.iat, value: left });
  element("left").textContent =
    left > 0
      ? `The access token is good for ${left} s.`
      : "The access token has expired. The next call refreshes it.";
  show(element("state"), left > 0 ? "logged in" : "to be refreshed", left > 0 ? "good" : "wait");
}

let known: Payload | undefined;
