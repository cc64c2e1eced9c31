// The same work by another server: oidc-provider, everything in memory. RS256 tokens by client_credentials, clients that
// register themselves and read themselves. Says where it listens, and serves until it is ended.
import { createServer } from "node:http";
import { generateKeyPairSync } from "node:crypto";
import Provider from "oidc-provider";

const audience = "https://api.example.com/";
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const api = {
  audience,
  scope: "read:things create:things update:things",
  accessTokenTTL: 86_400,
  accessTokenFormat: "jwt",
  jwt: { sign: { alg: "RS256" } },
};
const provider = new Provider("http://127.0.0.1", {
  jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), alg: "RS256", kid: "peer", use: "sig" }] },
  cookies: { keys: ["no cookie is set here"] },
  clients: [
    {
      client_id: "machine",
      client_secret: process.env.PEER_SECRET,
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: "client_secret_post",
    },
  ],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    registration: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => audience,
      getResourceServerInfo: () => api,
      useGrantedResource: () => true,
    },
  },
});
const server = createServer(provider.callback());
server.listen(0, "127.0.0.1", () => console.error(`listening on http://127.0.0.1:${server.address().port}`));
