// The control: oidc-provider, which is certified for the plans that the modules
// were taken from, with the pages for developers that it brings along.
//
//   node provider.mjs PORT APPLICATION
import { createServer } from "node:http"
import { generateKeyPairSync } from "node:crypto"
import Provider from "oidc-provider"

const [port, app] = process.argv.slice(2)

// A test turns the clock.
const now = Date.now.bind(Date)
let ahead = 0
Date.now = () => now() + ahead

const registered = (id, more) => ({
  client_id: id, client_secret: "secret of " + id, redirect_uris: [app + "/signed-in"], post_logout_redirect_uris: [app + "/logged-out"],
  response_types: ["code"], grant_types: ["authorization_code", "refresh_token"], token_endpoint_auth_method: "client_secret_basic", ...more,
})
const clients = [
  registered("basic", { backchannel_logout_uri: app + "/notice", backchannel_logout_session_required: true, id_token_signed_response_alg: "ES256" }),
  registered("post", { token_endpoint_auth_method: "client_secret_post" }),
  registered("other"),
  registered("with-query", { redirect_uris: [app + "/signed-in?foo=bar"] }),
  registered("public", { token_endpoint_auth_method: "none", client_secret: undefined }),
]

let made = 0
const keys = [], makeKeys = () => {
  made++
  for (const [kind, options, alg] of [["rsa", { modulusLength: 2048 }, "RS256"], ["ec", { namedCurve: "P-256" }, "ES256"]]) {
    keys.unshift({ ...generateKeyPairSync(kind, options).privateKey.export({ format: "jwk" }), use: "sig", alg, kid: alg + made })
  }
}

function make() {
  makeKeys()
  return new Provider("http://localhost:" + port, {
    clients, jwks: { keys: [...keys] }, responseTypes: ["code"],
    cookies: { keys: ["a key for cookies"], long: { httpOnly: true, signed: true, sameSite: "none" } }, enableHttpPostMethods: true,
    fetch: (url, options) => fetch(url, { ...options, dispatcher: undefined }), // which would not go to this machine
    claims: {
      openid: ["sub", "sid"], profile: ["name", "locale", "preferred_username"], email: ["email", "email_verified"],
      address: ["address"], phone: ["phone_number", "phone_number_verified"],
    },
    findAccount: (ctx, id) => ({
      accountId: id,
      claims: () => ({
        sub: id, name: "Ada", locale: "en", preferred_username: id, email: id, email_verified: true,
        address: { country: "NZ" }, phone_number: "+64 1 234 5678", phone_number_verified: false,
      }),
    }),
    features: { backchannelLogout: { enabled: true }, claimsParameter: { enabled: true }, registration: { enabled: true }, revocation: { enabled: true } },
  })
}

let provider = make()
createServer((request, response) => {
  const url = new URL(request.url, "http://localhost")
  if (url.pathname === "/judge/turn") ahead = 1000 * url.searchParams.get("seconds")
  else if (url.pathname === "/judge/rotate") provider = make()
  else return provider.callback()(request, response)
  response.writeHead(204).end()
}).listen(port, "127.0.0.1")
