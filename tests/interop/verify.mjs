// What was received, judged by two libraries that know nothing of Portadoc: @sd-jwt/sd-jwt-vc (signature, disclosures, status list)
// and @owf/mdoc (IssuerAuth, digests, validity). Job (a file): credentials [{format, credential, holder_key}], seal_cas, document_signer_cas,
// status_cas (PEM). One JSON document on stdout. Any failed check throws.
import { X509Certificate, createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { IssuerSigned } from "@owf/mdoc";
import { SDJwtVcInstance } from "@sd-jwt/sd-jwt-vc";
import { decodeProtectedHeader } from "jose";

const job = JSON.parse(readFileSync(process.argv[2], "utf8"));
const fail = (why) => {
  throw new Error(why);
};
const authorities = (pem) => pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g).map((one) => new X509Certificate(one));

/** The leaf, when one of the authorities issued it and it is in its time. */
function leafUnder(der, pem, now = new Date()) {
  const leaf = new X509Certificate(der);
  if (!authorities(pem).some((ca) => leaf.checkIssued(ca) && leaf.verify(ca.publicKey))) fail(`${leaf.subject}: not issued by a listed authority`);
  if (now < new Date(leaf.validFrom) || now > new Date(leaf.validTo)) fail(`${leaf.subject}: not in its time`);
  return leaf;
}

/** A JWS verifier for the leaf in `x5c` under the authorities. */
const jwsVerifier = (pem) => (input, signature) => {
  const header = decodeProtectedHeader(`${input}.${signature}`);
  if (header.alg !== "ES256") fail("another algorithm");
  const leaf = leafUnder(Buffer.from(header.x5c[0], "base64"), pem);
  return verify("sha256", Buffer.from(input), { key: leaf.publicKey, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url"));
};

const sdJwtVc = new SDJwtVcInstance({
  hasher: (data, algorithm) => createHash(algorithm.replace("-", "")).update(typeof data === "string" ? data : Buffer.from(data)).digest(),
  verifier: jwsVerifier(job.seal_cas),
  statusVerifier: jwsVerifier(job.status_cas),
  statusListFetcher: async (uri) => {
    const answer = await fetch(uri, { headers: { accept: "application/statuslist+jwt" } });
    if (!answer.ok || answer.headers.get("content-type") !== "application/statuslist+jwt") fail(`status list: HTTP ${answer.status}`);
    return answer.text();
  },
});

async function judgeSdJwt({ credential, holder_key: key }) {
  const { payload, header } = await sdJwtVc.verify(credential, { currentDate: Math.floor(Date.now() / 1000), requiredClaimKeys: ["vct", "exp", "nbf"], skewSeconds: 5 });
  if (header.typ !== "dc+sd-jwt") fail("another typ");
  sameKey(payload.cnf.jwk, key);
  return { type: payload.vct, claims: Object.keys(payload).length, status: payload.status?.status_list?.idx ?? null };
}

const COORDINATE = { x: -2, y: -3 };
const mdocContext = {
  crypto: { digest: ({ digestAlgorithm, bytes }) => createHash(digestAlgorithm.replace("-", "")).update(bytes).digest() },
  cose: {
    sign1: {
      verify: ({ key, sign1 }) =>
        verify("sha256", sign1.toBeSigned, { key: createPublicKey({ key: key.jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" }, sign1.signature),
    },
  },
  x509: {
    getIssuerNameField: ({ certificate, field }) =>
      new X509Certificate(certificate).issuer.split("\n").filter((line) => line.startsWith(`${field}=`)).map((line) => line.slice(field.length + 1)),
    getPublicKey: ({ certificate }) => ({ jwk: new X509Certificate(certificate).publicKey.export({ format: "jwk" }) }),
    verifyCertificateChain: ({ x5chain, now }) => void leafUnder(x5chain[0], job.document_signer_cas, now),
    getCertificateData: ({ certificate }) => {
      const read = new X509Certificate(certificate);
      return {
        issuerName: read.issuer, subjectName: read.subject, serialNumber: read.serialNumber, thumbprint: read.fingerprint256, pem: read.toString(),
        notBefore: new Date(read.validFrom), notAfter: new Date(read.validTo),
      };
    },
  },
};

async function judgeMdoc({ credential, holder_key: key }) {
  const issued = IssuerSigned.fromEncodedForOid4Vci(credential);
  const checks = [];
  const trustedCertificates = authorities(job.document_signer_cas).map((ca) => new Uint8Array(ca.raw));
  await issued.issuerAuth.verify({ verificationCallback: (check) => checks.push(check), now: new Date(), trustedCertificates }, mdocContext);
  await issued.verify({ verificationCallback: (check) => checks.push(check), now: new Date(), trustedCertificates }, mdocContext);
  const bad = checks.filter(({ status }) => status !== "PASSED");
  if (bad.length || !checks.length) fail(`@owf/mdoc: ${JSON.stringify(bad)}`);
  const mso = issued.issuerAuth.mobileSecurityObject;
  const held = mso.deviceKeyInfo.deviceKey;
  const point = (name) => Buffer.from(held[name] ?? held.decodedStructure?.get(COORDINATE[name])).toString("base64url");
  sameKey({ x: point("x"), y: point("y") }, key);
  const elements = [...issued.issuerNamespaces.issuerNamespaces.values()].reduce((sum, items) => sum + items.length, 0);
  return { type: mso.docType, claims: elements, checks: checks.length };
}

function sameKey(found, expected) {
  if (found.x !== expected.x || found.y !== expected.y) fail("bound to another key than the one that was proved");
}

const judge = { "dc+sd-jwt": judgeSdJwt, mso_mdoc: judgeMdoc };
const verdicts = [];
for (const one of job.credentials) verdicts.push({ format: one.format, ...(await judge[one.format](one)) });
process.stdout.write(`${JSON.stringify({ verdicts })}\n`);
