// The user's sessions, and ending them.

import { call } from "./calls";
import { badge, clock, element, onClick, smallButton } from "./page";
import { onSession } from "./session";

interface Device {
  handle: string;
  device: string | null;
  last_refreshed: number;
  current: boolean;
}

/** Wires the card up. */
export function showDevices(): void {
  onClick(element("show-devices"), list);
  onClick(element("end-others"), async () => {
    await call("POST", "/devices/end-others");
    await list();
  });
  let handle: string | undefined;
  onSession((payload) => {
    if (payload?.sessionHandle === handle) return;
    handle = payload?.sessionHandle;
    if (handle) void list();
    else element("devices").replaceChildren();
  });
}

async function list(): Promise<void> {
  const { status, body } = await call("GET", "/devices");
  const devices = status === 200 ? (body as { devices: Device[] }).devices : [];
  element("devices").replaceChildren(...devices.map(row));
}

function row({ handle, device, last_refreshed, current }: Device): HTMLElement {
  const name = device ?? "unnamed";
  const end = smallButton("End", `End the session on ${name}`);
  onClick(end, async () => {
    await call("POST", `/devices/${encodeURIComponent(handle)}/end`);
    if (!current) await list();
  });
  const about = document.createElement("span");
  about.append(name, " ");
  if (current) about.append(badge("this one", "good"));
  const seen = Object.assign(document.createElement("span"), {
    className: "soft",
    textContent: `refreshed ${clock(last_refreshed * 1000)}`,
  });
  const item = document.createElement("li");
  item.append(about, seen, end);
  return item;
}
