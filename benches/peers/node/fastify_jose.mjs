// The route on Fastify, with a token that `jose` verifies.
import fastify from "fastify";
import { user } from "./jose.mjs";
import { announce } from "./listening.mjs";

const app = fastify();
app.addHook("preHandler", async (request, reply) => {
  try {
    request.user = await user(request.headers.authorization);
  } catch {
    reply.code(401).send({ message: "unauthorised" });
    return reply;
  }
});
app.get("/session", async (request) => ({ user: request.user }));
await app.listen({ host: "127.0.0.1", port: 0 });
announce(app.server.address());
