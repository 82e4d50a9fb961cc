// What a person does first with the cluster, and what they see of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertQuiet, openPage, setUp, waitForFirst, waitForStart } from "./page.mjs";
import {
  balancer, counter, dragLoad, events, load, node, nodeLabel, press, saying, speed, tiles, until, untilCounter, untilEvent,
  untilReady, watchReady,
} from "./person.mjs";

const own = setUp();

const names = ["node-01", "node-02", "node-03"];

/** Opens the page, waits until it has converged, and gives it to `use`; in the end nothing must have gone wrong. */
async function converged(use, options = {}) {
  const open = await openPage(own.browser, own.url, { width: 1440, height: 900, ...options });
  await waitForStart(open.page);
  await speed(open.page, 4);
  await untilReady(open.page, 3);
  await untilCounter(open.page, "Requests", /load 10\/s/);
  await speed(open.page, 1);
  await use(open.page);
  assertQuiet(open);
  await open.close();
}

test("it starts with empty nodes and converges to three pods that serve", async () => {
  const open = await openPage(own.browser, own.url, {
    width: 1440, height: 900,
    // What the first pictures show is gone before a test could ask for it.
    prepare: (page) => page.addInitScript(() => {
      window.empty = [];
      const look = () => {
        const nodes = [...document.querySelectorAll("article[aria-label^='Node ']")];
        if (nodes.length) window.empty.push(nodes.filter((node) => /No Pods Scheduled/.test(node.innerText)).length);
        requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    }),
  });
  const { page } = open;
  await waitForFirst(page);
  await untilReady(page, 3);
  // By the page's own clock, which goes no faster than the one on the wall: a busy machine is not a slow start.
  const clock = await page.getByRole("timer", { name: "Simulated time" }).innerText();
  assert.match(clock, /^00:00:0\d\.\d$/, "at the default speed it takes a few seconds");
  await waitForStart(page);
  const empty = await page.evaluate(() => window.empty);
  assert.equal(empty[0], 3, "all three nodes are empty at first");
  assert.equal(empty.at(-1), 0, "the pods are spread over all of them");

  assert.equal(await page.getByRole("heading", { name: "Setpoint", level: 1 }).isVisible(), true);
  for (const name of names) {
    assert.match(await nodeLabel(page, name), /, Ready, machine on, 1 pod, /);
    await until(() => tiles(node(page, name)).first().innerText(), /^v1\s\S+\s+Ready/);
  }
  assert.match(await balancer(page), /^Load balancer web:80 3 ready endpoints$/);
  assert.match(await counter(page, "Version"), /Complete v1 3 deployment "web" successfully rolled out/);
  await untilCounter(page, "Requests", /\b\d+ served\/s, load 10\/s 0 failed of [1-9]/);
  await untilCounter(page, "Average CPU", /\d+ % of request Target 70%/);
  const said = (await events(page)).map(saying);
  for (const wanted of [
    /^ScalingReplicaSet Scaled up replica set web-\w+ from 0 to 3 Deployment\/web deployment-controller$/,
    /^Scheduled Successfully assigned default\/web-\S+ to node-02 Pod\/web-\S+ default-scheduler$/,
    /^Pulling Pulling image "web:v1"/, /^Started Container started/, /^NodeReady /,
  ]) {
    assert.ok(said.some((line) => wanted.test(line)), `${wanted} in ${said.join("\n")}`);
  }
  assert.match(await counter(page, "Requests"), / 0 failed of /);
  assertQuiet(open);
  await open.close();
});

test("load up by mouse: the autoscaler follows in steps, and holds CPU at its target; load down by keyboard: it waits, then goes back", () => converged(async (page) => {
  await speed(page, 4);
  await dragLoad(page, 300);
  const rps = await load(page);
  assert.ok(rps >= 250 && rps <= 400, `dragged to ${rps}`);
  await untilEvent(page, new RegExp(`Action .* You set the load on web to ${rps} requests per second\\. you$`));
  await untilCounter(page, "Requests", new RegExp(`load ${rps}/s`));

  const first = await untilEvent(page, /SuccessfulRescale .* New size: \d+; reason: cpu resource utilization \(percentage of request\) above target HorizontalPodAutoscaler\/web/);
  const size = Number(/New size: (\d+)/.exec(first)[1]);
  assert.ok(size > 3 && size <= 6, "at most doubled in one step");
  // 3 x CPU / 70 in the words of the card, with the numbers of the decision.
  await untilCounter(page, "Average CPU", /Target 70%\. \d+ × \d+\/70 = \d+\.\d\d.* → \d+/);
  // 300 requests of 5 ms each are 1500m, and 175m of each pod's 250m are the target.
  await untilCounter(page, "Target replicas", /^Target replicas (9|10) by HPA The HPA keeps it between 3 and 20\.$/);
  const pods = Number(/^Target replicas (\d+)/.exec(await counter(page, "Target replicas"))[1]);
  await untilReady(page, pods);
  await untilCounter(page, "Average CPU", (words) => {
    const cpu = Number(/(\d+) % of request/.exec(words)?.[1]);
    return cpu >= 63 && cpu <= 77;
  });
  // A step that only the window of recent recommendations brings has upstream's empty reason.
  const sizes = (await events(page)).map((event) => Number(/SuccessfulRescale .* New size: (\d+);/.exec(event)?.[1]));
  const steps = sizes.filter(Boolean).reverse();
  assert.ok(steps.length >= 2 && steps.at(-1) === pods, `several steps: ${steps}`);
  assert.deepEqual(steps, [...new Set(steps)].sort((a, b) => a - b), "each is higher than the one before");

  await speed(page, 10);
  await page.getByRole("slider", { name: "User load" }).focus();
  await page.keyboard.press("Home");
  assert.equal(await load(page), 10);
  await untilEvent(page, /You set the load on web to 10 requests per second\. you$/);
  await untilCounter(page, "Target replicas", new RegExp(`^Target replicas \\d+ s ${pods} by HPA Holding \\d+\\. Down to 3 in \\d+ s: the highest wish of 30 s counts \\(classroom\\)\\.$`));
  await untilEvent(page, /SuccessfulRescale .* New size: 3; reason: All metrics below target/);
  await untilReady(page, 3);
  await untilCounter(page, "Target replicas", /^Target replicas 3 by HPA/);
  const clock = (text) => text.split(":").reduce((total, part) => total * 60 + Number(part), 0);
  const all = await events(page);
  const at = (wanted) => clock(/^\d+:\d+/.exec(all.find((event) => wanted.test(event)))[0]);
  const waited = at(/New size: 3;/) - at(/You set the load on web to 10 /);
  assert.ok(waited >= 29, `scaled down after ${waited} s, before the stabilisation window of 30 s was over`);
}));

test("a dead node: believed for a while, then NotReady, its pod replaced on the other two, and back", () => converged(async (page) => {
  await press(page, "Kill node-02");
  // The machine is off; what the cluster believes is older.
  assert.match(await nodeLabel(page, "node-02"), /^Node node-02, Ready, machine off, /);
  await untilEvent(page, /Action .* You cut the power of node-02\. you$/);
  await untilCounter(page, "Requests", /[1-9]\d* failed since node-02 off \(lost: the node has no power\)$/);
  await until(() => nodeLabel(page, "node-02"), /^Node node-02, NotReady\S*, machine off, /);
  await untilEvent(page, /NodeNotReady .* Node node-02 status is now: NodeNotReady/);
  await until(() => balancer(page), /2 ready endpoints$/);
  await speed(page, 2);
  await untilEvent(page, /TaintManagerEviction .* Marking for deletion Pod default\/web-/);
  // The dead kubelet cannot confirm that the old pod is gone.
  await untilCounter(page, "Healthy pods", /^Healthy pods 3 of 3 1 on a dead machine$/);
  assert.match(await tiles(node(page, "node-02")).innerText(), /^v1\s\S+\s+Terminating/);
  await until(() => balancer(page), /3 ready endpoints$/);
  const ready = tiles(page).filter({ hasText: "Ready" });
  assert.equal(await ready.count(), 3);
  const others = async () => (await Promise.all(["node-01", "node-03"].map((name) => tiles(node(page, name)).count()))).sort();
  assert.deepEqual(await others(), [1, 2]);
  await untilCounter(page, "Requests", (words) => !/fail;/.test(words));
  const lost = /(\d+) failed since/.exec(await counter(page, "Requests"))[1];

  await press(page, "Restore node-02");
  await untilEvent(page, /You gave node-02 its power back\. you$/);
  await until(() => nodeLabel(page, "node-02"), /^Node node-02, Ready, machine on, /);
  await until(() => node(page, "node-02").innerText(), /No Pods Scheduled/);
  await untilReady(page, 3);
  assert.ok(Number(lost) > 0);
  assert.match(await counter(page, "Requests"), /\b0 failed since node-02 on$/);
  assert.deepEqual(await others(), [1, 2], "pods that run are not moved");
}));

test("a rollout to v2 under load loses no request and never has fewer than three pods ready", () => converged(async (page) => {
  await page.getByRole("textbox", { name: /^User load/ }).fill("80");
  await page.keyboard.press("Enter");
  await untilCounter(page, "Requests", /^Requests .* (7\d|8\d) served\/s, load 80\/s/);
  await speed(page, 2);
  const stop = await watchReady(page);
  await press(page, "Deploy v2");
  await untilEvent(page, /You deployed web:v2 to deployment web\. you$/);
  await untilCounter(page, "Version", /Rolling out v1 \d → v2 \d/);
  await untilCounter(page, "Version", /^Version Complete v2 \d+ deployment "web" successfully rolled out/, { timeout: 30_000 });
  await until(() => tiles(page).allInnerTexts(), (all) => all.length >= 3 && all.every((tile) => /^v2\s/.test(tile)));
  const seen = await stop();
  assert.ok(seen.counter.length > 30, "it was watched");
  assert.ok(Math.min(...seen.counter) >= 3, `ready pods: ${Math.min(...seen.counter)}`);
  assert.ok(Math.min(...seen.tiles) >= 3, `tiles that say Ready: ${Math.min(...seen.tiles)}`);
  assert.match(await counter(page, "Requests"), /\b0 failed since deploy v2$/);
  assert.equal(await page.getByRole("button", { name: "Deploy v2" }).getAttribute("aria-pressed"), "true");
}));

test("a broken image stalls while the old pods serve, and undo puts it right", () => converged(async (page) => {
  const undo = page.getByRole("button", { name: "Undo rollout" });
  assert.equal(await undo.isDisabled(), true, "there is nothing to go back to");
  await press(page, "Deploy broken");
  await untilCounter(page, "Version", /Rolling out v1 3 → broken 1/);
  await until(() => tiles(page).allInnerTexts(), (all) => all.some((tile) => /^broken\s\S+\s+Not ready/.test(tile)));
  await untilEvent(page, /Unhealthy .* Readiness probe failed: HTTP probe failed with statuscode: 500/);
  await speed(page, 10);
  await untilCounter(page, "Version", /^Version Stalled v1 3 → broken 1 .*progress deadline/);
  await untilCounter(page, "Healthy pods", /^Healthy pods 3 of 3 1 not ready$/);
  assert.match(await balancer(page), /3 ready endpoints$/);
  assert.match(await counter(page, "Requests"), /\b0 failed since deploy broken$/);
  await undo.click();
  await untilEvent(page, /You rolled deployment web back to the revision before\. you$/);
  await untilCounter(page, "Version", /^Version Complete v1 3 deployment "web" successfully rolled out/);
  await untilReady(page, 3);
  assert.match(await counter(page, "Requests"), /\b0 failed /);
}));
