// The cluster's language on the page: the terminal, the manifest editor, and the kubectl line of what is done with the mouse.

import assert from "node:assert/strict";
import { test } from "node:test";
import { incomplete, setUp, shot, violations, waitForStart } from "./page.mjs";
import { focused, node, onceReady, press, speed, tiles, until, untilCounter, untilEvent } from "./person.mjs";

const own = setUp();

const converged = (use, options) => onceReady(own.browser, own.url, use, options);

const tab = (page, name) => page.getByRole("tab", { name, exact: true });
const prompt = (page) => page.getByRole("textbox", { name: /^kubectl command/ });
const output = (page) => page.getByRole("log", { name: "Terminal output" });
/** What the terminal shows, line by line. */
const said = async (page) => (await output(page).innerText()).split("\n").filter((line) => line.trim());
const untilSaid = (page, wanted, options) => until(async () => (await said(page)).join("\n"), wanted, { what: String(wanted), ...options });
/** Types a line at the prompt. */
async function run(page, line) {
  await prompt(page).fill(line);
  await page.keyboard.press("Enter");
}
const manifest = (page) => page.getByRole("textbox", { name: /^Manifest / });
const problems = (page) => page.getByRole("list", { name: "Problems" }).getByRole("listitem");
const answer = (page) => page.getByRole("region", { name: "Answer of the cluster" });
/** Opens a file of the folder. */
async function openFile(page, name) {
  await tab(page, "Manifests").click();
  await page.getByRole("combobox", { name: "File" }).selectOption(name);
}
/** Where the cursor stands in the editor, as line and column. */
const cursor = (page) => manifest(page).evaluate((field) => {
  const before = field.value.slice(0, field.selectionStart).split("\n");
  return `${before.length}:${before.at(-1).length + 1}`;
});

test("the keyboard alone leads to the terminal, through its lines, and back", () => converged(async (page) => {
  await node(page, "node-01").getByRole("button", { name: /^Node node-01/ }).focus();
  await page.keyboard.press("c");
  await until(() => focused(page), (name) => name === "", { what: "the focus in the prompt" });
  assert.equal(await prompt(page).evaluate((field) => document.activeElement === field), true);
  await until(() => page.evaluate(() => location.hash), (found) => found === "#dock=kubectl");
  await page.keyboard.type("version");
  await page.keyboard.press("Enter");
  await page.keyboard.type("nonsense");
  await page.keyboard.press("Enter");
  await untilSaid(page, /default \$ version[\s\S]*default \$ nonsense\n(standard error:)?\s*error: unknown command "nonsense" for "kubectl"/);
  // Earlier lines by arrow keys, and by a search.
  await page.keyboard.type("half");
  for (const [key, wanted] of [["ArrowUp", "nonsense"], ["ArrowUp", "version"], ["ArrowDown", "nonsense"], ["ArrowDown", "half"]]) {
    await page.keyboard.press(key);
    await until(() => prompt(page).inputValue(), (value) => value === wanted, { what: `${key} to ${wanted}` });
  }
  await page.keyboard.press("Control+r");
  await page.keyboard.type("vers");
  await until(() => page.locator(".offers").innerText(), /^version$/);
  await page.keyboard.press("Escape");
  await until(() => prompt(page).inputValue(), (value) => value === "version");
  // Control C abandons the line; on an empty line Tab leaves, and Escape goes back to where one came from.
  await page.keyboard.press("Control+c");
  await until(() => prompt(page).inputValue(), (value) => value === "");
  await untilSaid(page, /default \$ version\^C$/);
  await page.keyboard.press("Control+l");
  await until(() => said(page), (lines) => !lines.some((line) => /nonsense/.test(line)));
  await page.keyboard.press("Shift+Tab");
  assert.equal(await focused(page), "Terminal output");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Escape");
  await until(() => focused(page), /^Node node-01/);
  assert.equal(await tab(page, "kubectl").getAttribute("aria-selected"), "true", "the terminal stays open");
}));

test("Tab completes kinds and names, and offers what it cannot decide", () => converged(async (page) => {
  await tab(page, "kubectl").click();
  await until(() => prompt(page).evaluate((field) => document.activeElement === field), (there) => there);
  await page.keyboard.type("get deployme");
  await page.keyboard.press("Tab");
  await until(() => prompt(page).inputValue(), (value) => /^get deployments?(\.apps)? $/.test(value));
  await page.keyboard.type("w");
  await page.keyboard.press("Tab");
  await until(() => prompt(page).inputValue(), /^get deployments?(\.apps)? web $/);
  await prompt(page).fill("delete pod web");
  await page.keyboard.press("Tab");
  await until(() => prompt(page).inputValue(), /^delete pod web-\w+-$/);
  const offered = page.locator(".offers").getByRole("button");
  await until(() => offered.count(), (count) => count === 3);
  const name = await offered.nth(1).innerText();
  await offered.nth(1).click();
  await until(() => prompt(page).inputValue(), (value) => value === `delete pod ${name} `);
  assert.equal(await prompt(page).evaluate((field) => field.selectionStart), `delete pod ${name} `.length);
}));

test("a click on the page writes its kubectl line, with the change as YAML, to be copied", () => converged(async (page) => {
  await press(page, "One replica more");
  const line = "kubectl scale deployment/web --replicas=4";
  const dock = page.getByRole("region", { name: "History, kubectl and manifests" });
  await until(() => dock.getByRole("code").innerText(), (text) => text.includes(line));
  await dock.getByRole("button", { name: "Copy the kubectl line" }).click();
  await until(() => dock.innerText(), /Copied/);
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), line);
  await press(page, "Deploy v2");
  await press(page, "Kill node-03");
  await tab(page, "kubectl").click();
  await untilSaid(page, /page \$ kubectl scale deployment\/web --replicas=4 copy\nas YAML\npage \$ kubectl set image deployment\/web web=web:v2 copy\nas YAML\n# node-03 lost power: no kubectl line/);
  await output(page).getByText("as YAML").first().click();
  await untilSaid(page, /as YAML\nspec:\n {2}replicas: 4\n/);
}, { context: { permissions: ["clipboard-read", "clipboard-write"] } }));

test("a broken manifest says where and why, and is mended", () => converged(async (page) => {
  await tab(page, "Manifests").click();
  assert.equal(await cursor(page), "1:1", "one begins to read at the beginning");
  await openFile(page, "broken-selector.yaml");
  await until(() => problems(page).allInnerTexts(), (all) => all.length === 1 && /29:10\s+no pod has the labels app=shopp[\s\S]*The pods of Deployment shop-b have app=shop-b\./.test(all[0]));
  await problems(page).getByRole("button", { name: "Line 29, column 10" }).click();
  assert.equal(await cursor(page), "29:10");
  await page.keyboard.press("Shift+End");
  await page.keyboard.type("shop-b");
  await until(() => page.getByText("✓ Nothing is wrong with it").count(), (count) => count === 1);
  assert.equal(await problems(page).count(), 0);

  // What is no YAML at all.
  await manifest(page).fill("kind: Pod\n  name: x\n");
  await until(() => problems(page).allInnerTexts(), (all) => all.length === 1 && /^\W*2:\d+/.test(all[0]));
  assert.equal(await manifest(page).getAttribute("aria-invalid"), "true");
  // Enter keeps the indentation, and the browser can undo that.
  await manifest(page).fill("spec:\n  template:");
  await page.keyboard.press("Control+End");
  await page.keyboard.press("Enter");
  await page.keyboard.type("spec: {}");
  assert.equal(await manifest(page).inputValue(), "spec:\n  template:\n    spec: {}");
  await page.keyboard.press("Escape");
  await until(() => focused(page), (name) => name === "Manifests");
}));

test("the editor offers the fields that may stand where the cursor is", () => converged(async (page) => {
  await tab(page, "Manifests").click();
  await manifest(page).fill("apiVersion: apps/v1\nkind: Deployment\nspec:\n  rep");
  await page.keyboard.press("Control+End");
  await page.keyboard.press("Control+Space");
  await until(() => manifest(page).inputValue(), /\n {2}replicas: $/);
  await page.keyboard.type("2");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Control+Space");
  const offered = page.locator(".findings .offers").getByRole("button");
  await until(() => offered.allInnerTexts(), (all) => all.includes("selector") && all.includes("template") && !all.includes("replicas"));
  await offered.filter({ hasText: "paused" }).click();
  await until(() => manifest(page).inputValue(), /\n {2}replicas: 2\n {2}paused: $/);
  await page.keyboard.press("Control+z");
  await until(() => manifest(page).inputValue(), /\n {2}replicas: 2\n {2}$/);
}));

test("a pasted manifest is refused at its line, mended, applied and runs; the second time nothing changes", () => converged(async (page) => {
  await openFile(page, "broken-typo.yaml");
  await until(() => problems(page).allInnerTexts(), (all) => all.length === 2 && /^\W*7:3\s+unknown field "spec\.replica"[\s\S]*replicas/.test(all[0]) && /readynessProbe[\s\S]*readinessProbe/.test(all[1]));
  await press(page, "Apply");
  await until(() => answer(page).innerText(), /\$ kubectl apply -f broken-typo\.yaml\s+Error from server \(BadRequest\)[\s\S]*unknown field "spec\.replica"/);
  const text = await manifest(page).inputValue();
  await manifest(page).fill(text.replace("replica:", "replicas:").replace("readyness", "readiness"));
  await until(() => page.getByText("✓ Nothing is wrong with it").count(), (count) => count === 1);
  await press(page, "Dry run");
  await until(() => answer(page).innerText(), /deployment\.apps\/typo created \(server dry run\)/);
  await press(page, "Apply");
  await until(() => answer(page).innerText(), /deployment\.apps\/typo created\s*$/);
  await untilEvent(page, /ScalingReplicaSet .*Scaled up replica set typo-\w+ from 0 to 3/);
  const pods = page.getByRole("region", { name: "Cluster" }).getByRole("button", { name: /, pod typo-/ });
  await speed(page, 4);
  await until(() => pods.count(), (count) => count === 3);
  await until(() => pods.allInnerTexts(), (all) => all.every((text) => /Ready/.test(text)));
  await press(page, "Apply");
  await until(() => answer(page).innerText(), /deployment\.apps\/typo unchanged\s*$/);
}));

test("scaling by a typed line is the same act as by the stepper", () => converged(async (page) => {
  await tab(page, "kubectl").click();
  await run(page, "kubectl scale deployment web --replicas=5");
  await untilSaid(page, /deployment\.apps\/web scaled/);
  await until(() => tiles(page).count(), (count) => count === 5);
  await untilCounter(page, "Target replicas", /^Target replicas 5 /);
  await untilEvent(page, /ScalingReplicaSet .*from 3 to 5/);
  // The chain of causes begins with the person.
  const event = page.getByRole("list", { name: "Events, newest first" }).getByRole("listitem").filter({ hasText: "from 3 to 5" });
  await event.getByRole("button", { name: /^why\?/ }).click();
  await until(() => page.getByRole("tabpanel", { name: "Details" }).locator("ol").innerText(), /You [\s\S]*web[\s\S]*It began here$/);
}));

test("what is watched streams while a node dies, and Control C ends it", () => converged(async (page) => {
  await tab(page, "kubectl").click();
  await run(page, "kubectl get pods -w");
  await untilSaid(page, /NAME\s+READY\s+STATUS\s+RESTARTS\s+AGE\n(web-\S+\s+1\/1\s+Running.*\n?){3}/);
  await speed(page, 4);
  await press(page, "Kill node-02");
  await untilSaid(page, /# node-02 lost power[\s\S]*web-\S+\s+1\/1\s+Terminating[\s\S]*web-\S+\s+0\/1\s+ContainerCreating[\s\S]*web-\S+\s+1\/1\s+Running/);
  await prompt(page).focus();
  await page.keyboard.press("Control+c");
  await untilSaid(page, /\^C$/);
  assert.equal(await page.getByRole("button", { name: "Stop", exact: true }).count(), 0);
  const length = (await said(page)).length;
  await press(page, "Restore node-02");
  await page.waitForTimeout(2_000);
  assert.equal((await said(page)).length, length + 1, "the act alone is written");
}));

test("kubectl edit opens an object in the editor, and saving it changes the cluster", () => converged(async (page) => {
  await tab(page, "kubectl").click();
  await run(page, "kubectl edit deployment web");
  await until(() => manifest(page).inputValue(), /kind: Deployment[\s\S]*\n {2}replicas: 3\n/);
  assert.equal(await tab(page, "Manifests").getAttribute("aria-selected"), "true");
  const text = await manifest(page).inputValue();
  await manifest(page).fill(text.replace("\n  replicas: 3\n", "\n  replicas: 4\n"));
  await press(page, "Save");
  await until(() => answer(page).innerText(), /deployment\.apps\/web edited/);
  await until(() => tiles(page).count(), (count) => count === 4);
  // The folder's file is open again; a diff tells what an apply would change.
  await openFile(page, "web.yaml");
  await press(page, "Apply");
  await until(() => answer(page).innerText(), /service\/shop created/);
  await manifest(page).fill((await manifest(page).inputValue()).replace("replicas: 3", "replicas: 2"));
  await press(page, "Diff");
  await until(() => answer(page).innerText(), /\n-  replicas: 3\n\+  replicas: 2\n/);
}));

test("files are made, named, deleted and brought back, dropped and kept", () => converged(async (page) => {
  await tab(page, "Manifests").click();
  const file = page.getByRole("combobox", { name: "File" });
  await press(page, "New file");
  await until(() => file.inputValue(), (name) => name === "manifest.yaml");
  await press(page, "Rename the file");
  await page.getByRole("textbox", { name: "Name of the file" }).fill("mine");
  await page.keyboard.press("Enter");
  await until(() => file.inputValue(), (name) => name === "mine.yaml");
  await press(page, "Delete the file");
  await until(() => page.getByText("mine.yaml is deleted.").count(), (count) => count === 1);
  await press(page, "Undo");
  await until(() => file.inputValue(), (name) => name === "mine.yaml");
  // A file of this machine, one that is too large, and one that is dropped.
  const input = page.getByLabel("Open files of this machine");
  await input.setInputFiles({ name: "own.yaml", mimeType: "text/yaml", buffer: Buffer.from("kind: Pod\n") });
  await until(() => manifest(page).inputValue(), (text) => text === "kind: Pod\n");
  await input.setInputFiles({ name: "big.yaml", mimeType: "text/yaml", buffer: Buffer.alloc(1_600_000, "a") });
  await until(() => page.getByText("big.yaml has 1.5 MiB; a manifest may have 1 MiB at most.").count(), (count) => count === 1);
  await manifest(page).evaluate((field) => {
    const data = new DataTransfer();
    data.items.add(new File(["kind: Dropped\n"], "dropped.yaml"));
    field.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  });
  await until(() => manifest(page).inputValue(), (text) => text === "kind: Dropped\n");
  const [download] = await Promise.all([page.waitForEvent("download"), press(page, "Download the file")]);
  assert.equal(download.suggestedFilename(), "dropped.yaml");
  // The next visit finds them again.
  await until(() => page.evaluate(() => localStorage.getItem("setpoint-file:dropped.yaml")), (text) => text === "kind: Dropped\n");
  await page.reload();
  await waitForStart(page);
  await openFile(page, "dropped.yaml");
  assert.equal(await manifest(page).inputValue(), "kind: Dropped\n");
  // The terminal has the same folder.
  await page.keyboard.press("Escape");
  await tab(page, "kubectl").click();
  await run(page, "cat dropped.yaml");
  await untilSaid(page, /kind: Dropped/);
}));

test("an object and the whole cluster are written as manifests that hold no trace of the cluster", () => converged(async (page) => {
  await page.getByRole("button", { name: "Target replicas" }).click();
  await page.getByRole("tabpanel", { name: "Details" }).getByRole("button", { name: "YAML" }).click();
  await until(() => manifest(page).inputValue(), /^apiVersion: apps\/v1\nkind: Deployment\n[\s\S]*replicas: 3\n/);
  await press(page, "Export cluster");
  const text = await until(() => manifest(page).inputValue(), /kind: Service\n[\s\S]*---\n[\s\S]*kind: Deployment\n[\s\S]*---\n[\s\S]*kind: HorizontalPodAutoscaler\n/);
  assert.doesNotMatch(text, /uid|resourceVersion|status:|creationTimestamp/);
  await until(() => page.getByText("✓ Nothing is wrong with it").count(), (count) => count === 1);
}));

for (const theme of ["light", "dark"]) {
  for (const width of [320, 768, 1280]) {
    test(`assistive technology can use the terminal and the editor, ${theme}, ${width} px`, () => converged(async (page) => {
      const clean = async (name, within) => {
        await shot(page, `${name}-${width}-${theme}`);
        await page.evaluate(() => scrollTo(0, 0));
        assert.deepEqual(await violations(page), []);
        // Tables that are wider than their box are scrolled, and axe sees no ground for what is out of sight; nor does it for
        // the coloured text, over which lies what is typed in.
        assert.deepEqual((await incomplete(page, within)).filter((line) => !/^color-contrast: \S+ > \.out /.test(line)), []);
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing is wider than the page");
      };
      await tab(page, "kubectl").click();
      await clean("terminal-empty", "#dock");
      await run(page, "get pods -o wide");
      await press(page, "One replica more");
      await run(page, "nonsense");
      await untilSaid(page, /unknown command/);
      await prompt(page).fill("get p");
      await page.keyboard.press("Tab");
      await clean("terminal", "#dock");
      await openFile(page, "broken-latest.yaml");
      await until(() => problems(page).count(), (count) => count === 2);
      await press(page, "Dry run");
      await answer(page).waitFor();
      await clean("manifest", ".findings");
    }, { theme, width, height: 800 }));
  }
}
