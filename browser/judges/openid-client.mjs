// An application that signs people in by openid-client, a certified library, in
// two ways: on its server, where it keeps a secret, and in its page, where it
// cannot. What the library does not like it says on the page.
//
//   node openid-client.mjs ISSUER PORT CLIENT_ID CLIENT_SECRET PUBLIC_CLIENT_ID AUTH
import { createServer } from "node:http"
import { readFile } from "node:fs/promises"
import * as client from "openid-client"

const [issuer, port, id, secret, publicID, how] = process.argv.slice(2)
const here = `http://127.0.0.1:${port}`
const proofs = { basic: client.ClientSecretBasic, post: client.ClientSecretPost }
const insecure = { execute: [client.allowInsecureRequests] } // http on this machine

const config = await client.discovery(new URL(issuer), id, undefined, proofs[how](secret), insecure)
const begun = new Map()

async function begin() {
  const verifier = client.randomPKCECodeVerifier()
  const state = client.randomState(), nonce = client.randomNonce()
  begun.set(state, { verifier, nonce })
  return client.buildAuthorizationUrl(config, {
    redirect_uri: here + "/signed-in", scope: "openid profile email groups offline_access", state, nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256", max_age: "3600",
  })
}

async function finish(url) {
  const { verifier, nonce } = begun.get(url.searchParams.get("state"))
  const tokens = await client.authorizationCodeGrant(config, url, {
    pkceCodeVerifier: verifier, expectedState: url.searchParams.get("state"), expectedNonce: nonce, idTokenExpected: true, maxAge: 3600,
  })
  const { sub, email } = tokens.claims()
  const info = await client.fetchUserInfo(config, tokens.access_token, sub)
  if (info.email !== email) throw new Error(`userinfo says ${info.email}`)
  const newer = await client.refreshTokenGrant(config, tokens.refresh_token)
  if (newer.claims().sub !== sub) throw new Error("the refresh is for somebody else")
  await client.fetchUserInfo(config, newer.access_token, sub)
  await client.tokenRevocation(config, newer.refresh_token)
  const again = await client.refreshTokenGrant(config, newer.refresh_token).catch(e => e.error)
  if (again !== "invalid_grant") throw new Error(`a revoked refresh token gives ${again}`)
  const gone = await client.fetchUserInfo(config, newer.access_token, sub).then(() => "still open", () => "refused")
  const out = client.buildEndSessionUrl(config, { post_logout_redirect_uri: here + "/", id_token_hint: tokens.id_token })
  return `<p>Server: ${email}, ${config.serverMetadata().supportsPKCE() ? "PKCE" : "no PKCE"}, revoked and ${gone}</p><p><a href="${out}">Log out</a></p>`
}

// Where a page finds the library and what it is made of.
const modules = {
  "openid-client": "/modules/openid-client/build/index.js", "oauth4webapi": "/modules/oauth4webapi/build/index.js",
  "jose/jwe/compact/decrypt": "/modules/jose/dist/webapi/jwe/compact/decrypt.js", "jose/errors": "/modules/jose/dist/webapi/util/errors.js",
}
const page = `<!doctype html><html lang="en"><title>Judge</title><script type="importmap">${JSON.stringify({ imports: modules })}</script><h1>Page</h1><p id="said">Working</p><button id="go" hidden>Sign in</button><script type="module">
const said = document.getElementById("said"), go = document.getElementById("go")
try {
  const client = await import("openid-client")
  const config = await client.discovery(new URL(${JSON.stringify(issuer)}), ${JSON.stringify(publicID)}, undefined, client.None(), { execute: [client.allowInsecureRequests] })
  const redirect = location.origin + "/page"
  if (new URL(location).searchParams.has("code")) {
    const { verifier, state, nonce } = JSON.parse(sessionStorage.begun)
    const tokens = await client.authorizationCodeGrant(config, new URL(location), { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce })
    const { sub, email } = tokens.claims()
    await client.fetchUserInfo(config, tokens.access_token, sub)
    await client.tokenRevocation(config, tokens.access_token)
    said.textContent = "Page: " + email
  } else {
    go.hidden = false
    said.textContent = "Nobody yet"
    go.onclick = async () => {
      const verifier = client.randomPKCECodeVerifier(), state = client.randomState(), nonce = client.randomNonce()
      sessionStorage.begun = JSON.stringify({ verifier, state, nonce })
      location = client.buildAuthorizationUrl(config, { redirect_uri: redirect, scope: "openid email", state, nonce,
        code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256" })
    }
  }
} catch (e) { said.textContent = "Judged wrong: " + [e.code, e.error, e.message, e.cause?.message].filter(Boolean).join(" · ") }
</script></html>`

createServer(async (request, response) => {
  const url = new URL(request.url, here)
  const html = body => response.setHeader("Content-Type", "text/html; charset=utf-8").end(body)
  try {
    if (url.pathname === "/") return html("<h1>Judge</h1><p>Nobody yet</p><a href=/sign-in>Sign in</a>")
    if (url.pathname === "/sign-in") return response.writeHead(302, { Location: (await begin()).href }).end()
    if (url.pathname === "/signed-in") return html(await finish(url))
    if (url.pathname === "/page") return html(page)
    if (url.pathname.startsWith("/modules/") && !url.pathname.includes("..")) {
      const source = await readFile(new URL("../node_modules/" + url.pathname.slice("/modules/".length), import.meta.url))
      return response.setHeader("Content-Type", "text/javascript").end(source)
    }
    response.writeHead(404).end()
  } catch (e) {
    html("<p>Judged wrong: " + [e.code, e.error, e.message, e.cause?.message].filter(Boolean).join(" · ") + "</p>")
  }
}).listen(port, "127.0.0.1", () => console.log("ready"))
