// The route on Fastify, with the session of supertokens-node.
import fastify from "fastify";
import { errorHandler, plugin } from "supertokens-node/framework/fastify/index.js";
import { verifySession } from "supertokens-node/recipe/session/framework/fastify/index.js";
import { announce } from "./listening.mjs";
import { init, options } from "./supertokens.mjs";

init("fastify");
const app = fastify();
app.setErrorHandler(errorHandler());
await app.register(plugin);
app.get("/session", { preHandler: verifySession(options) }, async (request) => {
  return { user: request.session.getUserId() };
});
await app.listen({ host: "127.0.0.1", port: 0 });
announce(app.server.address());
