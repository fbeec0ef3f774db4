// The page. Importing `wire` first puts the watched `fetch` in place before the SDK builds on it.

import "./wire";

import { showAccount } from "./account";
import { showCalls } from "./calls";
import { showDevices } from "./devices";
import { element } from "./page";
import { start } from "./session";
import { api, framework } from "./settings";
import { listen } from "./stream";
import { showThief } from "./thief";

element("framework").textContent = framework;
element("api").textContent = api;
showAccount();
showCalls();
showDevices();
showThief();
listen();
start();
