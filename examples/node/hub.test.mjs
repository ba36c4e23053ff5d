// Run with: node --test examples/node
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startHub } from "./hub.mjs";

let hub, start;

before(async () => {
  hub = await startHub({ users: ["ann", { name: "root", admin: true }] });
  ({ snapshot: start } = await hub.control("snapshot"));
});
after(() => hub.close());

test("a server starts and ends", async () => {
  assert.equal((await hub.api("POST", "/users/ann/server", { token: hub.tokens.ann })).status, 201);
  const { body } = await hub.api("GET", "/users/ann");
  assert.equal(body.server, "/user/ann/");
  await hub.control("restore", { snapshot: start });
  assert.equal((await hub.api("GET", "/users/ann")).body.server, null);
});

test("tokens expire when time goes by", async () => {
  const made = await hub.api("POST", "/users/ann/tokens", { token: hub.tokens.ann, body: { expires_in: 60 } });
  assert.equal((await hub.api("GET", "/user", { token: made.body.token })).status, 200);
  await hub.control("advance", { by: "2m" });
  assert.equal((await hub.api("GET", "/user", { token: made.body.token })).status, 403);
});

test("the hub fails to order", async () => {
  await hub.control("faults", { api: { status: 503, times: 1 } });
  assert.equal((await hub.api("GET", "/users")).status, 503);
  assert.equal((await hub.api("GET", "/users")).status, 200);
});
