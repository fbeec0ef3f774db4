import { answer } from "./questions.mjs";

const [jwks, issuer] = process.argv.slice(2);

// ANCHOR: verify
import jsonwebtoken from "jsonwebtoken";
import jwksRsa from "jwks-rsa";

const client = jwksRsa({ jwksUri: jwks });

function key(header, done) {
  client.getSigningKey(header.kid).then(
    (key) => done(null, key.getPublicKey()),
    (error) => done(new Error(error.name)),
  );
}

function verify(token) {
  const options = { algorithms: ["RS256"], issuer };
  return new Promise((accept, refuse) => {
    jsonwebtoken.verify(token, key, options, (error, claims) =>
      error ? refuse(error) : accept(claims),
    );
  });
}
// ANCHOR_END: verify

await answer(verify);
