// The same scenario and seed give the same hash in wasm, under node and in Chromium, as they gave natively.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import { openPage, startBrowser, startServer, waitForStart } from "./page.mjs";

// `cargo xtask ci hash` leaves the native hashes there.
const file = process.env.SETPOINT_HASHES;

describe("hashes in wasm are the native ones", { skip: file ? false : "no native hashes to compare with" }, () => {
  let jobs, browser, server, open;
  before(async () => {
    jobs = JSON.parse(await readFile(file, "utf8"));
    for (const job of jobs) job.text = await readFile(job.scenario, "utf8");
    browser = await startBrowser();
    server = await startServer();
    open = await openPage(browser, server.url);
    await waitForStart(open.page);
  });
  after(async () => {
    await browser?.close();
    server?.close();
  });

  test("under node", () => {
    const { run_hash } = createRequire(import.meta.url)(process.env.SETPOINT_NODE_MODULE);
    assert.ok(jobs.length > 0);
    for (const { scenario, text, seed, until_us, hash } of jobs) {
      assert.equal(run_hash(text, BigInt(seed), BigInt(until_us)), hash, `${scenario} seed ${seed}`);
    }
  });

  test("in Chromium", async () => {
    for (const { scenario, text, seed, until_us, hash } of jobs) {
      const found = await open.page.evaluate(async ([text, seed, until_us]) => {
        const glue = await import(document.querySelector('link[data-boot="glue"]').href);
        return glue.run_hash(text, BigInt(seed), BigInt(until_us));
      }, [text, seed, until_us]);
      assert.equal(found, hash, `${scenario} seed ${seed}`);
    }
  });
});
