"""An OpenID Connect issuer that is honest until it is told how to lie, on a port of this machine."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "oaiapp_parley", "s3cret:with/odd+chars"
KEY, FOREIGN_KEY = (rsa.generate_private_key(65537, 2048) for _ in range(2))


@dataclass
class Lie:
    """How an answer differs from an honest one. Claims that are None are left out of the token."""

    claims: dict[str, Any] = field(default_factory=dict)
    signed: str = "own"  # own, foreign, unknown_kid, none, hs256, broken
    answer: dict[str, Any] = field(default_factory=dict)  # replaces members of the token answer; None leaves one out
    status: int = 200
    body: bytes | None = None
    callback: dict[str, str | None] = field(default_factory=dict)  # replaces parameters of the way back
    metadata: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)


@dataclass
class Issuer:
    """`person` is whoever is signed in there now; `asked` records what the token endpoint was sent."""

    url: str
    person: dict[str, Any] = field(default_factory=dict)
    lie: Lie = field(default_factory=Lie)
    asked: list[dict[str, str]] = field(default_factory=list)
    codes: dict[str, dict[str, Any]] = field(default_factory=dict)

    def authorize(self, address: str) -> str:
        """What the browser does there: the person says yes at once. The address that it is sent back to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked | {"person": dict(self.person)}
        back = {"code": code, "state": asked["state"]} | self.lie.callback
        return f"{asked['redirect_uri']}?{urlencode({k: v for k, v in back.items() if v is not None})}"

    # ------------------------------------------------------------ what it serves
    def discovery(self) -> dict[str, Any]:
        places = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        said: dict[str, Any] = {name: f"{self.url}/{path}" for name, path in places.items()}
        said |= {"issuer": self.url, "userinfo_endpoint": f"{self.url}/userinfo"}
        return said | self.lie.metadata

    def keys(self) -> dict[str, Any]:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
        return {"keys": [public | {"kid": "k1", "alg": "RS256", "use": "sig"}]}

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        asked = self.codes.pop(form.get("code", ""), None)
        verifier = form.get("code_verifier", "").encode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest()).rstrip(b"=").decode()
        self.asked.append(form | {"authorization": authorization})
        if asked is None or challenge != asked["code_challenge"] or not _is_client(form, authorization):
            return 400, {"error": "invalid_grant"}
        if self.lie.status != 200:
            return self.lie.status, {"error": "server_error"}
        answer = {
            "id_token": self._sign(asked.get("nonce"), asked["person"]),
            "token_type": "Bearer",
            "access_token": "access-1",
        }
        return 200, {name: value for name, value in (answer | self.lie.answer).items() if value is not None}

    def _sign(self, nonce: str | None, person: dict[str, Any]) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "aud": [CLIENT], "iat": now, "exp": now + 300, "nonce": nonce} | person
        claims = {name: value for name, value in (claims | self.lie.claims).items() if value is not None}
        match self.lie.signed:
            case "none":
                return jwt.encode(claims, None, "none", headers={"kid": "k1"})
            case "hs256":
                public = json.dumps(self.keys()["keys"][0]).encode()
                return jwt.encode(claims, public, "HS256", headers={"kid": "k1"})
            case "foreign":
                return jwt.encode(claims, FOREIGN_KEY, "RS256", headers={"kid": "k1"})
            case "unknown_kid":
                return jwt.encode(claims, FOREIGN_KEY, "RS256", headers={"kid": "k9"})
            case "broken":
                return jwt.encode(claims, KEY, "RS256", headers={"kid": "k1"})[:-8] + "AAAAAAAA"
        return jwt.encode(claims, KEY, "RS256", headers={"kid": "k1"})


def _is_client(form: dict[str, str], authorization: str) -> bool:
    """The secret is taken from the Basic header only, each half form-encoded, as OpenAI documents it."""
    pair = base64.b64decode(authorization.removeprefix("Basic ")).decode() if authorization else ":"
    name, _, secret = pair.partition(":")
    return (unquote_plus(name), unquote_plus(secret)) == (CLIENT, SECRET) and "client_secret" not in form


@contextmanager
def running_issuer() -> Iterator[Issuer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.issuer = issuer = Issuer(f"http://127.0.0.1:{server.server_address[1]}")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield issuer
    server.shutdown()
    thread.join()
    server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        issuer: Issuer = self.server.issuer  # type: ignore[attr-defined]
        path = urlsplit(self.path).path
        known = {
            "/.well-known/openid-configuration": issuer.discovery,
            "/keys": issuer.keys,
            "/userinfo": lambda: issuer.person | issuer.lie.userinfo,
        }
        self._say(200, known[path]()) if path in known else self._say(404, {})

    def do_POST(self) -> None:
        issuer: Issuer = self.server.issuer  # type: ignore[attr-defined]
        sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        form = {name: values[0] for name, values in sent.items()}
        self._say(*issuer.token(form, self.headers.get("Authorization", "")), issuer.lie.body)

    def _say(self, status: int, said: Any, body: bytes | None = None) -> None:
        body = json.dumps(said).encode() if body is None else body
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return
