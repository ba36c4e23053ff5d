// A hub for tests in Node.js, with nothing but its standard library.
//
//   import { startHub } from "./hub.mjs";
//   const hub = await startHub({ users: ["ann"] });
//   await hub.api("POST", "/users/ann/server", { token: hub.tokens.ann });
//   await hub.close();

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** Starts a hub that is described as `minihub test-server --spec` takes it. */
export async function startHub(spec = {}, binary = process.env.MINIHUB_BIN ?? "minihub") {
  const child = spawn(binary, ["test-server", "--spec", "-"], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(JSON.stringify(spec));
  const line = await Promise.race([
    once(createInterface({ input: child.stdout }), "line").then(([text]) => text),
    once(child, "exit").then(([code]) => Promise.reject(new Error(`the hub did not start: exit code ${code}`))),
  ]);
  const ready = JSON.parse(line);
  return {
    ...ready,
    /** Calls the REST API; returns status and decoded body. */
    async api(method, path, { token = ready.admin_token, body } = {}) {
      const answer = await fetch(ready.api_url + path, {
        method,
        headers: { Authorization: `token ${token}` },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      const text = await answer.text();
      return { status: answer.status, body: text.trim() ? JSON.parse(text) : null };
    },
    /** Gives an order to the control API: control("advance", { by: "2h" }). */
    async control(what, order = {}) {
      const answer = await fetch(`${ready.control_url}/${what}`, { method: "POST", body: JSON.stringify(order) });
      if (!answer.ok) throw new Error(await answer.text());
      return answer.json();
    },
    async close() {
      child.kill("SIGTERM");
      if (child.exitCode === null) await once(child, "exit");
    },
  };
}
