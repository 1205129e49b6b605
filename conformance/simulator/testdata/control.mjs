// Scripts a failing and a slow job, a fault and the clock, and reads the ledger. Usage: control.mjs BASE_URL KEY
import assert from "node:assert/strict";

const [base, key] = process.argv.slice(2);

async function call(method, path, body, headers = {}) {
  const response = await fetch(base + path, {
    method,
    headers: { "Content-Type": "application/json", ...headers },
    body: body && JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

const api = { Authorization: "Bearer " + key };
const generations = "/v2/video/generations";
const job = { model: "alibaba/wan2.2-vace-fun-a14b-reframe", video_url: "https://example.com/v.mp4" };

async function submit(headers = {}) {
  const { status, body } = await call("POST", generations, job, { ...api, ...headers });
  assert.equal(status, 200);
  return body.id;
}

const poll = (id) => call("GET", generations + "?generation_id=" + encodeURIComponent(id), undefined, api);

await call("POST", "/simulator/reset");
await call("POST", "/simulator/timelines", { next: ['queued 1s, error NSFW "Refused"', "queued 1h, completed"] });
const failing = await submit({ "X-Client-Request-Id": "failing" });
const slow = await submit();
const own = await submit({ "X-Simulator-Timeline": "queued 1s, generating 2s, completed" });
await call("POST", "/simulator/faults", { faults: ["poll=503*1"] });
assert.equal((await poll(slow)).status, 503);
assert.equal((await poll(slow)).body.status, "queued");
await call("POST", "/simulator/clock", { advance: "1m" });
assert.deepEqual((await poll(failing)).body.error, { name: "NSFW", message: "Refused" });
assert.equal((await poll(own)).body.status, "completed");
await call("POST", "/simulator/clock", { advance: "1h" });
assert.equal((await poll(slow)).body.status, "completed");
const found = (await call("GET", "/simulator/jobs?client_request_id=failing")).body;
assert.equal(found.total, 1);
assert.equal(found.jobs[0].id, failing);
assert.equal(found.jobs[0].charged, false);
const state = (await call("GET", "/simulator/state")).body;
console.log(state.created, "created,", state.charged, "charged");
