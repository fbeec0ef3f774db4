// The route on Express, with a token that `jose` verifies.
import express from "express";
import { user } from "./jose.mjs";
import { announce } from "./listening.mjs";

const app = express();
// Nobody else here sends these two.
app.disable("etag").disable("x-powered-by");
app.use(async (request, response, next) => {
  try {
    request.user = await user(request.headers.authorization);
  } catch {
    response.status(401).json({ message: "unauthorised" });
    return;
  }
  next();
});
app.get("/session", (request, response) => {
  response.json({ user: request.user });
});
const server = app.listen(0, "127.0.0.1", () => announce(server.address()));
