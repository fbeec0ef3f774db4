import jsonwebtoken from "jsonwebtoken";
import jwksRsa from "jwks-rsa";
import { answer } from "./questions.mjs";

const [jwksUri, issuer] = process.argv.slice(2);
const client = jwksRsa({ jwksUri });
const options = { algorithms: ["RS256"], issuer };

function key(header, done) {
  client.getSigningKey(header.kid).then(
    (key) => done(null, key.getPublicKey()),
    (error) => done(new Error(error.name)),
  );
}

await answer(
  (token) =>
    new Promise((accept, refuse) => {
      jsonwebtoken.verify(token, key, options, (error, claims) =>
        error ? refuse(error) : accept(claims),
      );
    }),
);
