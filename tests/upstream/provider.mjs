// An OpenID Provider from a package, on loopback, standing for a national login: one client, one synthetic person.
//
// node provider.mjs '{"port": 0, "client_id": …, "client_secret": …, "redirect_uri": …, "person": {claims}, "ask": false}'
//
// One line of JSON on standard output says where it listens. `ask`: the person has to press a button, as in a real browser;
// else the sign-in answers by itself. It ends with the process that started it, or when standard input closes.

import { createServer } from 'node:http';
import { randomBytes } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import Provider, { interactionPolicy } from 'oidc-provider';

const settings = JSON.parse(process.argv[2]);
const { privateKey } = await generateKeyPair('ES256', { extractable: true });
const key = { ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig', kid: 'test' };
const SUBJECT = 'synthetic-person';

// Only the sign-in is asked for: whoever is registered here was agreed on beforehand.
const policy = interactionPolicy.base();
policy.remove('consent');

const server = createServer();
await new Promise((resolve) => server.listen(settings.port ?? 0, '127.0.0.1', resolve));
const issuer = `http://localhost:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: settings.client_id,
      client_secret: settings.client_secret,
      redirect_uris: [settings.redirect_uri],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
      id_token_signed_response_alg: 'ES256',
    },
  ],
  jwks: { keys: [key] },
  claims: { openid: ['sub'], profile: ['family_name', 'given_name', 'birthdate'] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  features: { devInteractions: { enabled: false } },
  interactions: { policy, url: (_, interaction) => `/interaction/${interaction.uid}` },
  pkce: { required: () => true },
  enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
  ttl: { AccessToken: 60, AuthorizationCode: 60, IdToken: 300, Interaction: 300, Session: 300, Grant: 300 },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...settings.person }) }),
  loadExistingGrant: async (context) => {
    const { client, session, params } = context.oidc;
    const grant = new context.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope(params.scope);
    await grant.save();
    return grant;
  },
});

const PAGE = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>National login (test)</title></head>
<body><h1>National login (test)</h1><form method="post"><button id="sign-in">Sign in as the synthetic person</button></form></body></html>`;
const answer = provider.callback();

server.on('request', async (request, response) => {
  if (!request.url.startsWith('/interaction/')) return answer(request, response);
  try {
    await provider.interactionDetails(request, response); // refuses a browser that did not begin
    if (settings.ask && request.method !== 'POST') {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
      return response.end(PAGE);
    }
    return await provider.interactionFinished(request, response, { login: { accountId: SUBJECT } });
  } catch (error) {
    response.writeHead(400, { 'content-type': 'text/plain' });
    return response.end(error.name);
  }
});

process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
process.stdout.write(`${JSON.stringify({ issuer })}\n`);
