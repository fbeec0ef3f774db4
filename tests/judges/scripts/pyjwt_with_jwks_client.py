"""Reads a question from each line of standard input and writes the verdict on a line of standard
output. The time is the question's, so that a test need not wait for a token to expire."""

import datetime
import json
import sys
import time

import jwt.api_jwt

jwks, issuer = sys.argv[1:]


class Clock(datetime.datetime):
    seconds = 0.0

    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(cls.seconds, tz)


# What expiry is measured with, and the age of the keys.
jwt.api_jwt.datetime = Clock
time.monotonic = lambda: Clock.seconds

# ANCHOR: verify
import jwt

client = jwt.PyJWKClient(jwks)


def verify(token):
    key = client.get_signing_key_from_jwt(token)
    options = {"require": ["exp"]}
    parts = jwt.decode_complete(token, key, algorithms=["RS256"], issuer=issuer, options=options)
    claims = parts["payload"]
    if parts["header"].get("version") != "5" or claims.get("stt", 0) != 0:
        raise jwt.InvalidTokenError("not a session's")
    return claims
# ANCHOR_END: verify


def verdict(token):
    try:
        # As text, for it may be JSON that not every reader takes.
        return {"claims": json.dumps(verify(token))}
    except jwt.PyJWTError as error:
        return {"refused": type(error).__name__}


for line in sys.stdin:
    question = json.loads(line)
    Clock.seconds = question["now"] / 1000
    print(json.dumps(verdict(question["token"])), flush=True)
