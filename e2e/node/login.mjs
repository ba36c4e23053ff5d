// Logs in with the hub as oauth4webapi does, whose checks are strict (issuer, state, content types, PKCE). It prints the address for the
// browser, reads from standard input where the browser came out, and prints what it got, as JSON.
import * as oauth from 'oauth4webapi'
import { createInterface } from 'node:readline/promises'

const env = process.env
const redirect = env.REDIRECT_URI
const local = { [oauth.allowInsecureRequests]: true } // http on this machine
const client = { client_id: env.CLIENT_ID }
const auth = oauth.ClientSecretBasic(env.CLIENT_SECRET)

const issuer = new URL(env.ISSUER)
const found = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...local })
const server = await oauth.processDiscoveryResponse(issuer, found)

const verifier = oauth.generateRandomCodeVerifier()
const state = oauth.generateRandomState()
const address = new URL(server.authorization_endpoint)
address.search = new URLSearchParams({
  client_id: client.client_id,
  redirect_uri: redirect,
  response_type: 'code',
  state,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256'
})
console.log(address.href)

const lines = createInterface({ input: process.stdin })
const back = new URL((await lines[Symbol.asyncIterator]().next()).value)
lines.close()

const parameters = oauth.validateAuthResponse(server, client, back, state)
const answer = await oauth.authorizationCodeGrantRequest(server, client, auth, parameters, redirect, verifier, local)
const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer)

const introspect = async () =>
  oauth.processIntrospectionResponse(server, client, await oauth.introspectionRequest(server, client, auth, tokens.access_token, local))

const user = await oauth.protectedResourceRequest(tokens.access_token, 'GET', new URL(server.userinfo_endpoint), new Headers(), null, local)
const before = await introspect()
await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, auth, tokens.access_token, local))
const after = await introspect()

let stolen = ''
try {
  const other = new URL(back)
  other.searchParams.set('iss', 'https://evil.example')
  oauth.validateAuthResponse(server, client, other, state)
} catch (error) {
  stolen = error.message
}
console.log(JSON.stringify({ token_type: tokens.token_type, user: await user.json(), before, after, stolen }))
