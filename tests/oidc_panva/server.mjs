/* A certified OpenID provider, set up as OpenAI and as Google document theirs. It says yes to whoever names themselves.
   Usage: node server.mjs <port> <redirect uri of client openai> <redirect uri of client google> */

import { Provider } from "oidc-provider";

const [port, openai, google] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;

const claimsOf = (id) => ({
  sub: id,
  email: `${id.split("+")[0]}@example.com`,
  email_verified: !id.endsWith("+unproven"),
  name: id,
});

const client = (client_id, method, redirect_uri) => ({
  client_id,
  client_secret: `secret-of-${client_id}`,
  token_endpoint_auth_method: method,
  redirect_uris: [redirect_uri],
  grant_types: ["authorization_code"],
  response_types: ["code"],
});

const provider = new Provider(issuer, {
  clients: [client("openai", "client_secret_basic", openai), client("google", "client_secret_post", google)],
  pkce: { required: () => true },
  // Both put the address into the ID token; a strict reading of the standard would keep it for the userinfo endpoint.
  conformIdTokenClaims: false,
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
  scopes: ["openid", "profile", "email"],
  findAccount: (_, id) => ({ accountId: id, claims: () => claimsOf(id) }),
  features: { devInteractions: { enabled: true } },
  cookies: { keys: ["a key of a test"] },
  // Consent is given beforehand, as on a second visit.
  async loadExistingGrant(ctx) {
    const { client: who, session } = ctx.oidc;
    const grant = new ctx.oidc.provider.Grant({ clientId: who.clientId, accountId: session.accountId });
    grant.addOIDCScope("openid profile email");
    await grant.save();
    return grant;
  },
});

// OpenAI refuses a request without a nonce. The pages of this provider fetch a font, which a test must not.
provider.use(async (ctx, next) => {
  const asks = ctx.path === "/auth" && ctx.method === "GET";
  if (asks && ctx.query.client_id === "openai" && !ctx.query.nonce) ctx.throw(400, "nonce is required");
  await next();
  if (typeof ctx.body === "string") ctx.body = ctx.body.replace(/@import url\([^)]*\);/g, "");
});

const server = provider.listen(Number(port), "127.0.0.1", () => console.log("listening"));
process.on("SIGTERM", () => server.close(() => process.exit(0)));
