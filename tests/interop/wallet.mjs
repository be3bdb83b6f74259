// The wallet side of openid4vc-ts collects what an offer names. One JSON job on the command line (a file), JSON lines on stdout.
//
// Job: offer, tx_code, client_id, provider {key, chain} (PEM) or null, redirect_uri, copies, encrypt, scope.
// Events: {"event":"authorize","url":…} waits for one line on stdin, the address the browser ended at; then {"event":"received",…}.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { clientAuthenticationAnonymous, createClientAttestationJwt, setGlobalConfig } from "@openid4vc/oauth2";
import { Openid4vciClient, setGlobalConfig as setVciConfig } from "@openid4vc/openid4vci";
import { SignJWT } from "jose";
import { encryptingFetch } from "./encryption.mjs";
import { freshKey, keyOfPem, plumbing, Ring, x5cOfPem } from "./keys.mjs";

const job = JSON.parse(readFileSync(process.argv[2], "utf8"));
const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
for (const configure of [setGlobalConfig, setVciConfig]) configure({ allowInsecureUrls: true }); // loopback only
const ring = new Ring();
const seconds = (offset = 0) => Math.floor(Date.now() / 1000) + offset;

/** Client authentication by wallet attestation, draft-07, with the server's challenge (§6.1, §8): a callback the library asks for. */
async function attestedClient() {
  const instance = ring.add(freshKey());
  const provider = ring.add(keyOfPem(job.provider.key));
  ring.providerJwk = provider.publicJwk;
  const attestation = await createClientAttestationJwt({
    issuer: "https://wallet.example",
    clientId: job.client_id,
    expiresAt: new Date(Date.now() + 3600_000),
    confirmation: { jwk: instance.publicJwk },
    additionalPayload: { wallet_name: "openid4vc-ts (test)" },
    signer: { method: "x5c", alg: "ES256", x5c: x5cOfPem(job.provider.chain) },
    callbacks: { signJwt: ring.signJwt },
  });
  return async ({ headers, authorizationServerMetadata: server }) => {
    let challenge;
    if (server.challenge_endpoint) {
      const answer = await fetch(server.challenge_endpoint, { method: "POST" });
      challenge = (await answer.json()).attestation_challenge;
    }
    const proof = await new SignJWT({ iss: job.client_id, aud: server.issuer, jti: crypto.randomUUID(), iat: seconds(), exp: seconds(60), ...(challenge && { challenge }) })
      .setProtectedHeader({ alg: "ES256", typ: "oauth-client-attestation-pop+jwt" })
      .sign(instance.privateKey);
    headers.set("OAuth-Client-Attestation", attestation);
    headers.set("OAuth-Client-Attestation-PoP", proof);
  };
}

const authentication = job.provider ? await attestedClient() : clientAuthenticationAnonymous();
const callbacks = { ...plumbing, signJwt: ring.signJwt, clientAuthentication: authentication };
const seen = { requests: 0, responses: 0 };
let client = new Openid4vciClient({ callbacks });
const credentialOffer = await client.resolveCredentialOffer(job.offer);
const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer);
if (job.encrypt) {
  const published = issuerMetadata.credentialIssuer;
  client = new Openid4vciClient({ callbacks: { ...callbacks, fetch: encryptingFetch(published, [published.credential_endpoint], seen) } });
}
const dpop = { signer: { method: "jwk", alg: "ES256", publicJwk: ring.add(freshKey()).publicJwk } };

// No `state`: the library's own call has no way to send one. PKCE and `iss` (RFC 9207) tie the answer to the request.
async function byCode() {
  const wanted = credentialOffer.credential_configuration_ids.map((id) => issuerMetadata.credentialIssuer.credential_configurations_supported[id].scope);
  const begun = await client.createAuthorizationRequestUrlFromOffer({
    credentialOffer, issuerMetadata, dpop, clientId: job.client_id, redirectUri: job.redirect_uri, scope: wanted.join(" "),
  });
  say({ event: "authorize", url: begun.authorizationRequestUrl });
  const lines = createInterface({ input: process.stdin });
  const { value: landed } = await lines[Symbol.asyncIterator]().next();
  lines.close();
  const server = issuerMetadata.authorizationServers.find(({ issuer }) => issuer === begun.authorizationServer);
  const answer = client.parseAndVerifyAuthorizationResponseRedirectUrl({ url: landed, authorizationServerMetadata: server });
  if (answer.error) throw new Error(`${answer.error}: ${answer.error_description}`);
  return client.retrieveAuthorizationCodeAccessTokenFromOffer({
    credentialOffer, issuerMetadata, authorizationCode: answer.code, pkceCodeVerifier: begun.pkce.codeVerifier, redirectUri: job.redirect_uri, dpop: begun.dpop ?? dpop,
  });
}

const byOffer = () => client.retrievePreAuthorizedCodeAccessTokenFromOffer({ credentialOffer, issuerMetadata, txCode: job.tx_code ?? undefined, dpop });
const grants = credentialOffer.grants ?? {};
const token = await (grants.authorization_code && job.provider ? byCode() : byOffer());

/** A key attestation (Appendix D). The library's own still says `keyattestation+jwt`, the type of a draft, so it is made here. */
function attestKeys(keys, nonce, { key_storage, user_authentication }) {
  const provider = keyOfPem(job.provider.key);
  return new SignJWT({ attested_keys: keys.map(({ publicJwk }) => publicJwk), nonce, key_storage, user_authentication, iat: seconds(), exp: seconds(3600) })
    .setProtectedHeader({ alg: "ES256", typ: "key-attestation+jwt", x5c: x5cOfPem(job.provider.chain) })
    .sign(provider.privateKey);
}

/** The proofs of fresh keys: one JWT each, with a key attestation over all of them when the issuer requires one. */
async function proofs(id, keys) {
  const rule = issuerMetadata.credentialIssuer.credential_configurations_supported[id].proof_types_supported.jwt;
  const { c_nonce: nonce } = await client.requestNonce({ issuerMetadata });
  const required = rule.key_attestations_required;
  const keyAttestationJwt = required && job.provider ? await attestKeys(keys, nonce, required) : undefined;
  const made = keys.map((key) =>
    client.createCredentialRequestJwtProof({
      issuerMetadata, credentialConfigurationId: id, nonce, keyAttestationJwt, clientId: grants.authorization_code && job.provider ? job.client_id : undefined,
      signer: { method: "jwk", alg: "ES256", publicJwk: key.publicJwk },
    }),
  );
  return (await Promise.all(made)).map(({ jwt }) => jwt);
}

const received = [];
for (const id of credentialOffer.credential_configuration_ids) {
  const keys = Array.from({ length: job.copies }, () => ring.add(freshKey()));
  const { credentialResponse } = await client.retrieveCredentials({
    issuerMetadata, credentialConfigurationId: id, accessToken: token.accessTokenResponse.access_token, dpop: token.dpop, proofs: { jwt: await proofs(id, keys) },
  });
  await client.sendNotification({
    issuerMetadata, accessToken: token.accessTokenResponse.access_token, dpop: token.dpop,
    notification: { notificationId: credentialResponse.notification_id, event: "credential_accepted" },
  });
  received.push({ id, credentials: credentialResponse.credentials.map(({ credential }) => credential), holder_keys: keys.map(({ publicJwk }) => publicJwk) });
}
say({ event: "received", received, token_type: token.accessTokenResponse.token_type, refresh: "refresh_token" in token.accessTokenResponse, encrypted: seen });
