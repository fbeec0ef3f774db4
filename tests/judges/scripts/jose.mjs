import { createRemoteJWKSet, jwtVerify } from "jose";
import { answer } from "./questions.mjs";

const [jwks, issuer] = process.argv.slice(2);
const keys = createRemoteJWKSet(new URL(jwks));
const options = { algorithms: ["RS256"], issuer, requiredClaims: ["exp"] };

await answer(async (token) => (await jwtVerify(token, keys, options)).payload);
