// Keys of the foreign wallet, and the cryptography its library asks us to hand in (Node's own, nothing of Portadoc's).
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { SignJWT } from "jose";

/** A fresh P-256 key: the private key object and the public JWK. */
export function freshKey() {
  return ofPrivate(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
}

/** The key of a PEM text. */
export function keyOfPem(pem) {
  return ofPrivate(createPrivateKey(pem));
}

function ofPrivate(privateKey) {
  const { kty, crv, x, y } = createPublicKey(privateKey).export({ format: "jwk" });
  return { privateKey, publicJwk: { kty, crv, x, y } };
}

/** The certificates of a PEM bundle as the `x5c` header takes them. */
export function x5cOfPem(pem) {
  return [...pem.matchAll(/-----BEGIN CERTIFICATE-----([\s\S]+?)-----END CERTIFICATE-----/g)].map(([, body]) => body.replace(/\s/g, ""));
}

/** A ring of keys: signs for whichever public key the library names. */
export class Ring {
  #keys = [];

  add(key) {
    this.#keys.push(key);
    return key;
  }

  #find(jwk) {
    const found = this.#keys.find(({ publicJwk }) => publicJwk.x === jwk.x && publicJwk.y === jwk.y);
    if (!found) throw new Error("the library names a key that is not on the ring");
    return found;
  }

  signJwt = async (signer, { header, payload }) => {
    const key = signer.method === "x5c" ? this.#find(signer.publicJwk ?? this.providerJwk) : this.#find(signer.publicJwk);
    return { jwt: await new SignJWT(payload).setProtectedHeader(header).sign(key.privateKey), signerJwk: key.publicJwk };
  };
}

/** The callbacks that are no policy. */
export const plumbing = {
  hash: (data, algorithm) => createHash(algorithm.replace("-", "")).update(data).digest(),
  generateRandom: (length) => randomBytes(length),
};
