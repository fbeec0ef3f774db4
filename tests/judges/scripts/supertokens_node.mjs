// The official SDK asks a core for the keys, at an address that cannot be configured apart from the
// core's. Here stands a core that has nothing but our keys: whatever else it is asked for fails, and
// with it the verification.
import { createServer } from "node:http";
import supertokens from "supertokens-node";
import Session from "supertokens-node/recipe/session/index.js";
import { answer } from "./questions.mjs";

const [jwks, issuer] = process.argv.slice(2);
const core = createServer(async (request, response) => {
  if (request.url === "/.well-known/jwks.json") {
    const keys = await fetch(jwks);
    response.writeHead(keys.status, { "content-type": "application/json" });
    response.end(await keys.text());
  } else {
    response.writeHead(500).end();
  }
});
await new Promise((ready) => core.listen(0, "127.0.0.1", ready));

const apiDomain = new URL(issuer).origin;
supertokens.init({
  supertokens: { connectionURI: `http://127.0.0.1:${core.address().port}` },
  appInfo: { appName: "judges", apiDomain, websiteDomain: apiDomain },
  recipeList: [Session.init({ antiCsrf: "NONE" })],
  telemetry: false,
});

await answer(async (token) => {
  const session = await Session.getSessionWithoutRequestResponse(token);
  return session.getAccessTokenPayload();
});
core.close();
