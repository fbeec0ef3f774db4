// Whose token it is, as `jose` verifies it with the keys at the address of the first argument, and
// nothing else: no session, no anti-CSRF check, no claims.
import { createRemoteJWKSet, jwtVerify } from "jose";

const [core] = process.argv.slice(2);
const keys = createRemoteJWKSet(new URL("/.well-known/jwks.json", core));
const options = { algorithms: ["RS256"], requiredClaims: ["exp"] };

export async function user(authorization) {
  const token = authorization?.replace(/^Bearer /, "") ?? "";
  const { payload } = await jwtVerify(token, keys, options);
  return payload.sub;
}
