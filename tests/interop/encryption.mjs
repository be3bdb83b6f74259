// Message encryption of OpenID4VCI 1.0 §10, which the wallet library leaves to its user: a `fetch` around it, made with `jose`.
import { CompactEncrypt, compactDecrypt, importJWK } from "jose";
import { freshKey } from "./keys.mjs";

/** A `fetch` that encrypts requests to `endpoints`, asks for an encrypted answer and opens it. `seen` counts what was encrypted. */
export function encryptingFetch(metadata, endpoints, seen) {
  const requestRule = metadata.credential_request_encryption;
  const responseRule = metadata.credential_response_encryption;
  if (!requestRule || !responseRule) throw new Error("the issuer does not announce encryption");
  return async (url, options) => {
    if (!endpoints.includes(String(url))) return fetch(url, options);
    const own = freshKey();
    const [jwk] = requestRule.jwks.keys;
    const enc = requestRule.enc_values_supported.includes("A256GCM") ? "A256GCM" : requestRule.enc_values_supported[0];
    const body = {
      ...JSON.parse(options.body),
      credential_response_encryption: { jwk: { ...own.publicJwk, alg: "ECDH-ES", use: "enc", kid: "answer" }, enc: responseRule.enc_values_supported[0] },
    };
    const jwe = await new CompactEncrypt(new TextEncoder().encode(JSON.stringify(body)))
      .setProtectedHeader({ alg: jwk.alg, enc, kid: jwk.kid })
      .encrypt(await importJWK(jwk, jwk.alg));
    const headers = new Headers(options.headers);
    headers.set("content-type", "application/jwt");
    const answer = await fetch(url, { ...options, headers, body: jwe });
    seen.requests += 1;
    if (answer.headers.get("content-type") !== "application/jwt") return answer;
    const { plaintext, protectedHeader } = await compactDecrypt(await answer.text(), own.privateKey);
    if (protectedHeader.kid !== "answer") throw new Error("the kid of our key was not copied");
    seen.responses += 1;
    const opened = new Headers(answer.headers);
    opened.set("content-type", "application/json");
    opened.delete("content-length");
    return new Response(plaintext, { status: answer.status, headers: opened });
  };
}
