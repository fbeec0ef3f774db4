// The route on Express, with the session of supertokens-node.
import express from "express";
import { errorHandler, middleware } from "supertokens-node/framework/express/index.js";
import { verifySession } from "supertokens-node/recipe/session/framework/express/index.js";
import { announce } from "./listening.mjs";
import { init, options } from "./supertokens.mjs";

init("express");
const app = express();
// Nobody else here sends these two.
app.disable("etag").disable("x-powered-by");
app.use(middleware());
app.get("/session", verifySession(options), (request, response) => {
  response.json({ user: request.session.getUserId() });
});
app.use(errorHandler());
const server = app.listen(0, "127.0.0.1", () => announce(server.address()));
