import { answer } from "./questions.mjs";

const [jwks, issuer] = process.argv.slice(2);

// ANCHOR: verify
import { createServer } from "node:http";
import supertokens from "supertokens-node";
import Session from "supertokens-node/recipe/session/index.js";

// The SDK asks a core for the keys. This one has nothing else: whatever more the SDK asked for would
// fail, and with it the verification.
const core = createServer(async (request, response) => {
  if (request.url !== "/.well-known/jwks.json") {
    response.writeHead(500).end();
    return;
  }
  const keys = await fetch(jwks);
  response.writeHead(keys.status, { "content-type": "application/json" });
  response.end(await keys.text());
});
await new Promise((ready) => core.listen(0, "127.0.0.1", ready));

const apiDomain = new URL(issuer).origin;
supertokens.init({
  supertokens: { connectionURI: `http://127.0.0.1:${core.address().port}` },
  appInfo: { appName: "another service", apiDomain, websiteDomain: apiDomain },
  recipeList: [Session.init({ antiCsrf: "NONE" })],
  telemetry: false,
});

async function verify(token) {
  const session = await Session.getSessionWithoutRequestResponse(token);
  return session.getAccessTokenPayload();
}
// ANCHOR_END: verify

await answer(verify);
core.close();
