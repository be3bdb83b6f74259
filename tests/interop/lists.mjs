// Sealed trust lists and bundles, judged by `jose` (the seal, under the one certificate that is pinned) and by `ajv` (the payload,
// against ETSI's schema). Nothing of Portadoc judges here. Job (a file): items [{jws, typ}], pinned (PEM), schema and jwk_schema
// (files). One JSON document on stdout. Any failed check throws.
import { X509Certificate, createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import Ajv from "ajv";
import addFormats from "ajv-formats";
import { compactVerify, decodeProtectedHeader } from "jose";

const job = JSON.parse(readFileSync(process.argv[2], "utf8"));
const fail = (why) => {
  throw new Error(why);
};
const pinned = new X509Certificate(job.pinned);
const thumbprint = createHash("sha256").update(pinned.raw).digest("base64url");

const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addSchema(JSON.parse(readFileSync(job.jwk_schema, "utf8")), "rfcs/rfc7517.json");
const isList = ajv.compile(JSON.parse(readFileSync(job.schema, "utf8")));

async function judge({ jws, typ }) {
  const header = decodeProtectedHeader(jws);
  if (header.typ !== typ) fail(`another typ: ${header.typ}`);
  if (header.crit !== undefined || header.x5t !== undefined) fail("a header that may not be there");
  if (Buffer.compare(Buffer.from(header.x5c[0], "base64"), pinned.raw) !== 0) fail("another certificate");
  const { payload } = await compactVerify(jws, pinned.publicKey, { algorithms: ["ES256"] });
  const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  if (typ !== "JOSE") return { typ, seq: value.seq, lists: value.lists.map(({ id }) => id) };
  if (!Number.isInteger(header.iat)) fail("TS 119 182-1: iat is required");
  if (header["x5t#S256"] !== thumbprint) fail("x5t#S256 names another certificate");
  if (!isList(value)) fail(`the schema says: ${ajv.errorsText(isList.errors)}`);
  const { ListAndSchemeInformation: scheme, TrustedEntitiesList: entities } = value.LoTE;
  return { typ, seq: scheme.LoTESequenceNumber, type: scheme.LoTEType, entities: entities?.length ?? 0 };
}

const verdicts = [];
for (const item of job.items) verdicts.push(await judge(item));
process.stdout.write(`${JSON.stringify({ verdicts })}\n`);
