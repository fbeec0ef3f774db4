// The SDK, as its documentation sets it up, with a core at the address of the first argument. The
// second says how far a session is checked: `stateless` or `database`.
import supertokens from "supertokens-node";
import Session from "supertokens-node/recipe/session/index.js";

const [core, check] = process.argv.slice(2);

export const options = { checkDatabase: check === "database" };

export function init(framework) {
  supertokens.init({
    framework,
    supertokens: { connectionURI: core },
    appInfo: {
      appName: "peer",
      apiDomain: "http://localhost:3000",
      websiteDomain: "http://localhost:3000",
    },
    recipeList: [Session.init({ antiCsrf: "NONE" })],
    telemetry: false,
  });
}
