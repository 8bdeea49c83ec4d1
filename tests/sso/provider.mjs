/**
 * A certified OpenID provider (npm's oidc-provider) for the tests.
 *
 *   node tests/sso/provider.mjs < settings.json
 *
 * Settings: `port` (0 chooses), `clients` as oidc-provider takes them, `accounts` (login -> claims), `kid` of the key
 * to sign with, made anew at each start, `methods` of showing the secret. Prints `{"issuer": …}` and runs until its input ends.
 */
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import Provider from "oidc-provider";

const lines = createInterface({ input: process.stdin });
lines.once("line", (line) => start(JSON.parse(line)));
// Whoever started this holds the other end; when that is gone, so is this.
lines.once("close", () => process.exit(0));

function start({ port, clients, accounts, kid, inToken, methods }) {
  const server = createServer();
  server.listen(port, "127.0.0.1", () => {
    const issuer = `http://127.0.0.1:${server.address().port}`;
    const provider = new Provider(issuer, {
      clients,
      jwks: { keys: [signingKey(kid)] },
      clientAuthMethods: methods,
      cookies: { keys: ["only for the tests"] },
      claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
      // Off: claims come with the ID token; on, as it is by the standard, only from the user info endpoint.
      conformIdTokenClaims: !inToken,
      // A client that names an address for it hears of sign-outs; its ID tokens name the session (sid).
      features: { backchannelLogout: { enabled: true } },
      // The portal of the tests is on this machine, which the provider would keep away from.
      fetch: (url, { dispatcher: _guarded, ...options }) => globalThis.fetch(url, options),
      findAccount: (_context, login) =>
        accounts[login] && { accountId: login, claims: () => ({ sub: login, ...accounts[login] }) },
      ttl: { Session: 600, Interaction: 600, Grant: 600, AccessToken: 60, IdToken: 60 },
    });
    server.on("request", provider.callback());
    console.log(JSON.stringify({ issuer }));
  });
}

function signingKey(kid) {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), kid, use: "sig", alg: "RS256" };
}
