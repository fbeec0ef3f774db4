import { answer } from "./questions.mjs";

const [jwks, issuer] = process.argv.slice(2);

// ANCHOR: verify
import { createRemoteJWKSet, jwtVerify } from "jose";

const keys = createRemoteJWKSet(new URL(jwks));

async function verify(token) {
  const options = { algorithms: ["RS256"], issuer, requiredClaims: ["exp"] };
  const { protectedHeader, payload } = await jwtVerify(token, keys, options);
  if (protectedHeader.version !== "5" || ![undefined, 0].includes(payload.stt)) {
    throw new Error("not a session's");
  }
  return payload;
}
// ANCHOR_END: verify

await answer(verify);
