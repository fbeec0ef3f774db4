import { answer } from "./questions.mjs";

const [jwks, issuer] = process.argv.slice(2);

// ANCHOR: verify
import jsonwebtoken from "jsonwebtoken";
import jwksRsa from "jwks-rsa";

const client = jwksRsa({ jwksUri: jwks });

function key(header, done) {
  client.getSigningKey(header.kid).then((key) => done(null, key.getPublicKey()), done);
}

async function verify(token) {
  const options = { algorithms: ["RS256"], issuer, complete: true };
  const { header, payload } = await new Promise((accept, refuse) => {
    jsonwebtoken.verify(token, key, options, (error, parts) =>
      error ? refuse(error) : accept(parts),
    );
  });
  if (header.version !== "5" || ![undefined, 0].includes(payload.stt)) {
    throw new Error("not a session's");
  }
  return payload;
}
// ANCHOR_END: verify

await answer(verify);
