// The kinds besides Deployments, where a person sees them: sets with their places and volumes, runs to completion, agents on
// every node, budgets, quotas, priorities.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertQuiet, openPage, setUp, violations, waitForStart } from "./page.mjs";
import {
  counter, detail, details, eventRow, events, chain, focused, node, nodeLabel, press, speed, tabTo, until, untilEvent, walkTo,
} from "./person.mjs";

const own = setUp();

/** Opens a scenario and gives it to `use`; in the end nothing must have gone wrong. */
async function visit(scenario, use, { times = 10, ...options } = {}) {
  const open = await openPage(own.browser, `${own.url}?scenario=${scenario}`, { width: 1440, height: 900, ...options });
  await waitForStart(open.page);
  await speed(open.page, times);
  await use(open.page, open);
  assertQuiet(open);
  await open.close();
}

const line = (text) => text.replace(/\s+/g, " ").trim();
/** The strip of what there is besides Deployments. */
const strip = (page) => page.getByRole("region", { name: "Sets, Jobs, limits and storage" });
/** One of its chips, by kind and name. */
const chip = (page, name) => strip(page).getByRole("button", { name: new RegExp(`^${name} `) });
const chipText = async (page, name) => line(await chip(page, name).innerText());
const untilChip = (page, name, wanted, options) => until(() => chipText(page, name), wanted, { timeout: 40_000, ...options });
/** The tile of a pod by the end of its name. */
const tile = (scope, pod) => scope.getByRole("button", { name: new RegExp(`, pod ${pod},`) });
const tileText = async (scope, pod) => line(await tile(scope, pod).first().innerText());
/** All pods on a node, one line each. */
const podsOn = async (page, name) => (await node(page, name).getByRole("button", { name: /, pod / }).allInnerTexts()).map(line);
const tray = (page) => page.getByRole("region", { name: "Waiting for a node" });
const trayText = async (page) => line(await tray(page).innerText());
/** The row of the details with a name: "≠ ready 3 2". */
async function rowOf(page, name) {
  const row = details(page).getByRole("row").filter({ has: page.getByRole("rowheader", { name: new RegExp(`^(differs ?)?${name}$`) }) });
  return line(await row.first().innerText());
}
const childrenOf = async (page, title) => (await detail(page, title)).replace(`${title} `, "");

/** Waits until the database is whole, and keeps its time slow. */
async function wholeDatabase(page) {
  await untilChip(page, "StatefulSet db", /^StatefulSet db 3\/3 ready$/);
  await untilChip(page, "PDB db", /^PDB db 1 may go$/);
  await speed(page, 1);
}

test("a StatefulSet makes its pods in order, each with a name and a volume; what is not there yet waits by name", () => visit("stateful", async (page) => {
  await speed(page, 1);
  await until(() => trayText(page), /2 not created yet db-1 db-2 db, 2 missing: in order: db-1 waits until db-0 is ready$/);
  const seen = [];
  await speed(page, 4);
  await until(async () => {
    const text = await chipText(page, "StatefulSet db");
    if (seen.at(-1) !== text) seen.push(text);
    return text;
  }, /3\/3 ready$/, { timeout: 40_000 });
  assert.deepEqual(seen.map((text) => text.slice(-9)), ["0/3 ready", "1/3 ready", "2/3 ready", "3/3 ready"]);
  for (const place of ["db-0", "db-1", "db-2"]) {
    assert.match(await tile(page, place).getAttribute("title"), new RegExp(`^${place}: Ready\\. data-${place} Bound 1Gi, attached to node-0\\d$`));
    assert.match(await tileText(page, place), new RegExp(`^16 ${place} Ready`));
    await untilChip(page, `PVC data-${place}`, new RegExp(`^PVC data-${place} Bound 1Gi$`));
  }
  // A claim without a class and without a volume waits, and says for what.
  assert.match(await chipText(page, "PVC archive"), /Pending$/);
  await chip(page, "PVC archive").click();
  await until(() => rowOf(page, "waits"), /no persistent volumes available for this claim and no storage class is set$/);
  assert.match(await detail(page), /PVC Pending .* archive/);
}));

test("a deleted database pod comes back by its own name and to its own volume, on whichever node", () => visit("stateful", async (page) => {
  await wholeDatabase(page);
  await chip(page, "PVC data-db-1").click();
  const volume = await until(() => rowOf(page, "volume"), /pvc-/);
  await tile(page, "db-1").first().click();
  await until(() => detail(page), /^Pod /);
  assert.match(await rowOf(page, "volume"), /data-db-1 Bound 1Gi, attached to node-0\d$/);
  // Two containers, one address, one volume.
  assert.match(await rowOf(page, "container postgres"), /runs runs, ready$/);
  assert.match(await rowOf(page, "container exporter"), /runs runs, ready$/);
  assert.match(await rowOf(page, "shared address"), /10\.244\.\d+\.\d+, and localhost, for postgres, exporter$/);
  assert.match(await rowOf(page, "shared volume"), /data: postgres, exporter$/);
  await details(page).getByRole("button", { name: /^Delete / }).click();
  await until(() => tileText(page, "db-1"), /Terminating\b/);
  await speed(page, 4);
  await until(() => tileText(page, "db-1"), /^16 db-1 Ready/, { timeout: 30_000 });
  await chip(page, "PVC data-db-1").click();
  assert.equal(await until(() => rowOf(page, "volume"), /pvc-/), volume, "the same volume as before");
  assert.match(await childrenOf(page, "Used by, and its volume"), /Pod db-1 Ready .*PersistentVolume pvc-\S+ Bound/);
}));

test("a set grows at its end and shrinks from its end, and the volume stays for whoever comes back", () => visit("stateful", async (page) => {
  await wholeDatabase(page);
  await speed(page, 4);
  await chip(page, "StatefulSet db").click();
  await details(page).getByRole("button", { name: /^One more / }).click();
  assert.match(line(await page.locator(".last").innerText()), /^\$ kubectl scale statefulset\/db --replicas=4 /);
  await untilChip(page, "StatefulSet db", /4\/4 ready$/);
  assert.match(await tileText(page, "db-3"), /^16 db-3 Ready/);
  await details(page).getByRole("button", { name: /^One fewer / }).click();
  await until(() => tile(page, "db-3").count(), (count) => count === 0, { timeout: 30_000 });
  await untilChip(page, "StatefulSet db", /3\/3 ready$/);
  assert.match(await chipText(page, "PVC data-db-3"), /Bound 1Gi$/);
  await details(page).getByRole("button", { name: /^One more / }).click();
  await until(() => tileText(page, "db-3"), /^16 db-3 Ready/, { timeout: 30_000 });
  assert.match(await tile(page, "db-3").getAttribute("title"), /data-db-3 Bound 1Gi/);
}));

test("a budget refuses a drain: the node and the feed say which, and it is asked again until it may", () => visit("stateful", async (page) => {
  await wholeDatabase(page);
  const db = /db-\d/.exec((await podsOn(page, "node-02")).join(" "))[0];
  // However slow the hand is, both drains begin in the same moment.
  await press(page, "Pause");
  for (const name of ["node-01", "node-02"]) {
    await page.getByRole("button", { name: new RegExp(`^Node ${name},`) }).click();
    await until(() => detail(page), new RegExp(`^Node .* ${name} `));
    await details(page).getByRole("button", { name: /^Drain / }).click();
  }
  await speed(page, 0.25);
  await press(page, "Play");
  const kept = await until(() => node(page, "node-02").innerText(), new RegExp(`Budget db keeps ${db}\\s+(needs 2 ready, has 2|allows no more now); again in \\d s`));
  assert.match(kept, /Cordoned/);
  assert.match(await nodeLabel(page, "node-02"), new RegExp(`Budget db keeps ${db}`));
  await until(() => rowOf(page, "takes new pods"), /yes no$/);
  await untilChip(page, "PDB db", /^PDB db none may go$/);
  await chip(page, "PDB db").click();
  await until(() => rowOf(page, db), /to be evicted refused (once|\d times), asked again every 5 s$/);
  assert.match(await rowOf(page, "healthy"), /at least 2 of 3/);
  const refused = await untilEvent(page, new RegExp(`EvictionRefused .*evicting pod ${db}: Cannot evict pod as it would violate the pod's disruption budget\\. The disruption budget db needs 2 healthy pods and has \\d currently\\. Pod/${db} kube-apiserver`));
  assert.ok(refused);
  await eventRow(page, `evicting pod ${db}`).getByRole("button", { name: /^why\?/ }).click();
  await until(() => chain(page), (links) => /^You began to drain node-02/.test(links.at(-1)));
  // It is asked again, and once the other one is back the answer is yes.
  await speed(page, 4);
  await until(() => podsOn(page, "node-02"), (pods) => pods.length === 0, { timeout: 30_000 });
  await until(() => tileText(node(page, "node-03"), db), /^16 db-\d Ready/, { timeout: 30_000 });
  // Its volume came along: it was detached there and attached here.
  assert.match(await tile(page, db).getAttribute("title"), new RegExp(`data-${db} Bound 1Gi, attached to node-03$`));
  assert.doesNotMatch(await node(page, "node-02").innerText(), /keeps/);
}));

test("Jobs run to their end or give up, a CronJob makes the next, and every node has its agent", () => visit("batch", async (page) => {
  await speed(page, 4);
  await untilChip(page, "Job report", /^Job report [1-3] of 4 done$/);
  await untilChip(page, "Job report", /^Job report 4 of 4 done$/);
  await untilChip(page, "Job import", /^Job import Failed: 2 failures$/);
  const all = (await Promise.all(["node-01", "node-02", "node-03"].map((name) => podsOn(page, name)))).flat();
  assert.equal(all.filter((text) => /report Completed\b/.test(text)).length, 4, all.join("\n"));
  assert.equal(all.filter((text) => /import Failed\b/.test(text)).length, 2, all.join("\n"));
  for (const name of ["node-01", "node-02", "node-03"]) {
    assert.equal((await podsOn(page, name)).filter((text) => / agent Ready/.test(text)).length, 1, name);
  }
  await chip(page, "Job import").click();
  await until(() => rowOf(page, "failed"), /gives up after 2 \(backoffLimit 1\) 2$/);
  assert.match(await detail(page, "Conditions"), /Failed True .*BackoffLimitExceeded Job has reached the specified backoff limit/);
  await chip(page, "Job report").click();
  await until(() => detail(page, "Timers"), /time to live in \d+ s the Job is deleted, and its pods with it/);
  await chip(page, "CronJob backup").click();
  await until(() => detail(page, "Timers"), /next run in \d+(\.\d)? s a Job is made from its template/);
  await untilChip(page, "CronJob backup", /^CronJob backup waits, next in \d+ s$/);
  await untilChip(page, "Job backup-\\d+", /1 of 1 done$/, { timeout: 60_000 });
  await details(page).getByRole("button", { name: /^Suspend / }).click();
  await untilChip(page, "CronJob backup", /^CronJob backup suspended$/);
  await details(page).getByRole("button", { name: /^Resume / }).click();
  await untilChip(page, "CronJob backup", /waits, next in \d+ s$/);

  // A node that joins gets its agent without anybody asking.
  await press(page, "Add node-04");
  await until(() => podsOn(page, "node-04"), (pods) => pods.some((text) => / agent Ready/.test(text)), { timeout: 30_000 });
  await untilChip(page, "DaemonSet agent", /4\/4 ready$/);
  await chip(page, "DaemonSet agent").click();
  await until(() => rowOf(page, "node-04"), /one pod agent-\S+ Running$/);
}));

test("where nodes are full, what is important takes the place of the rest; and a quota refuses pods, with its reason beside them", () => visit("crowded", async (page) => {
  await until(() => trayText(page), /2 not created yet api api team-a\/api, 2 missing: pods "api-\S+" is forbidden: exceeded quota: team-a, requested: pods=1, used: pods=2, limited: pods=2$/);
  await until(() => podsOn(page, "node-02"), (pods) => pods.length === 2 && pods.every((text) => / render Ready/.test(text)));
  await press(page, "Pause");
  await untilEvent(page, /FailedCreate .*Error creating: pods "api-\S+" is forbidden: exceeded quota: team-a/);
  await chip(page, "Quota team-a/team-a").click();
  await until(() => rowOf(page, "pods"), /at most 2 2 used, full$/);
  assert.match(await rowOf(page, "requests.cpu"), /at most 500m 200m used$/);
  await untilChip(page, "Quota team-a/team-a", /pods 2\/2$/);

  await page.getByRole("textbox", { name: "Replicas" }).fill("6");
  await page.keyboard.press("Enter");
  await speed(page, 0.25);
  await press(page, "Play");
  const victim = tile(page, "render-\\S+").filter({ hasText: "Preempted" }).first();
  await victim.waitFor({ timeout: 20_000 });
  assert.match(await victim.getAttribute("title"), /^render-\S+: Preempted\. Preempted: web-\S+ takes its place$/);
  await victim.click();
  await until(() => rowOf(page, "preempted"), /to stay web-\S+ takes its place$/);
  assert.match(await rowOf(page, "priority"), /spare, 10$/);
  await untilEvent(page, /Preempted .*Preempted by pod [0-9a-f-]{36} on node node-0\d Pod\/render-\S+ default-scheduler/);
  await speed(page, 4);
  await until(() => trayText(page), /render.*: 0\/3 nodes are available: 3 Insufficient cpu\. no new claims to deallocate, preemption: 0\/3 nodes are available: 3 No preemption victims found for incoming pod\./, { timeout: 30_000 });
  await until(() => page.getByRole("region", { name: "Counters" }).innerText(), /Healthy pods\s+6\s+of 6/, { timeout: 30_000 });
}, { times: 1 }));

test("with its node the monolith is down, and the services beside it live", () => visit("monolith", async (page) => {
  const healthy = () => counter(page, "Healthy pods");
  await until(healthy, /^Healthy pods 1 of 1 monolith cart 2\/2 · catalog 2\/2 · pay 2\/2$/, { timeout: 30_000 });
  await speed(page, 2);
  await until(healthy, /^Healthy pods 0 of 1 monolith cart [12]\/2 · catalog [12]\/2 · pay [12]\/2 · \d on a dead machine$/, { timeout: 30_000 });
  assert.deepEqual(await violations(page), []);
  await until(healthy, /^Healthy pods 1 of 1 monolith cart 2\/2 · catalog 2\/2 · pay 2\/2/, { timeout: 60_000 });
}, { times: 4 }));

test("seven pods stand two, two, one and two on four nodes; nodes come and go", () => visit("four-nodes", async (page) => {
  const counts = () => page.getByRole("article", { name: /^Node / }).evaluateAll((all) =>
    all.map((one) => Number(/, (\d+) pods?,/.exec(one.getAttribute("aria-label"))[1])));
  await until(counts, (found) => String(found) === "2,2,1,2");
  await speed(page, 4);
  await press(page, "Add node-05");
  await until(() => nodeLabel(page, "node-05"), /, Ready, machine on, 0 pods/, { timeout: 30_000 });
  await page.getByRole("button", { name: /^Node node-05,/ }).click();
  await details(page).getByRole("button", { name: /^Kill / }).click();
  await details(page).getByRole("button", { name: /^Delete / }).click();
  await until(() => page.getByRole("article", { name: /^Node / }).count(), (found) => found === 4);
}));

test("with the keyboard alone: from the strip to a set, to its pod, to its claim, and back", () => visit("stateful", async (page) => {
  await wholeDatabase(page);
  await tabTo(page, chip(page, "StatefulSet db"));
  await page.keyboard.press("Enter");
  await until(() => detail(page), /^StatefulSet 3\/3 ready .* db /);
  assert.match(await rowOf(page, "db-1"), /a pod with data-db-1 ready on node-0\d$/);
  assert.match(await rowOf(page, "order"), /OrderedReady: one after the other/);
  await walkTo(page, "Tab", /^Pod db-1$/);
  await page.keyboard.press("Enter");
  await until(() => detail(page), /^Pod Ready .* db-1 Owned by StatefulSet db /);
  await walkTo(page, "Tab", /^PersistentVolumeClaim data-db-1$/);
  await page.keyboard.press("Enter");
  await until(() => detail(page), /^PVC Bound 1Gi .* data-db-1 /);
  await page.keyboard.press("Escape");
  await until(() => focused(page), /\S/);
}));

for (const [scenario, wanted] of [["stateful", "PDB db"], ["batch", "Job import"], ["crowded", "Quota team-a/team-a"]]) {
  for (const [width, height, theme] of [[1440, 900, "light"], [390, 844, "dark"]]) {
    test(`${scenario} at ${width} pixels, ${theme}: nothing for axe to complain of, and nothing sticks out`, () => visit(scenario, async (page, open) => {
      await speed(page, 10);
      await until(() => chipText(page, scenario === "batch" ? "Job report" : wanted), /4 of 4 done|1 may go|2\/2/, { timeout: 40_000 });
      await speed(page, 1);
      await chip(page, wanted).click();
      await until(() => page.locator("#details-title").innerText(), (title) => wanted.includes(title));
      assert.deepEqual(await violations(open.page), []);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "no scrolling sideways");
    }, { width, height, theme }));
  }
}

test("an image that no registry has: the tile, the feed and a timer tell of the back-off", () => visit("four-nodes", async (page) => {
  await page.getByRole("tab", { name: "kubectl" }).click();
  const input = page.getByRole("textbox", { name: /^kubectl command/ });
  await input.fill("set image deployment/web web=web:missing");
  await page.keyboard.press("Enter");
  await untilEvent(page, /Failed .*(Error: )?ErrImagePull/, { timeout: 30_000 });
  await until(() => page.getByRole("button", { name: /status ImagePullBackOff/ }).count(), (count) => count > 0, { timeout: 30_000 });
  await page.getByRole("button", { name: /status ImagePullBackOff/ }).first().click();
  await until(() => detail(page, "Timers"), /image back-off in .* the image is pulled again/, { timeout: 30_000 });
  await untilEvent(page, /BackOff .*Back-off pulling image "web:missing"/, { timeout: 30_000 });
}));
