// The benchmarks in wasm under node: `node bench.mjs MODULE NAME`, called by `cargo xtask bench`, in the columns of
// `setpoint bench`: run, part, seconds of CPU, seconds of wall time, simulated seconds, events, requests, ready pods.

import { createRequire } from "node:module";
import { resolve } from "node:path";

const [module, name] = process.argv.slice(2);
const { Bench } = createRequire(import.meta.url)(resolve(module));

/** Runs until the compiler is done with all that is run often: a page runs for minutes, and a run takes a twentieth of a second. */
const WARM_UP = 4;

for (let run = 0; run <= WARM_UP; run += 1) {
  const bench = Bench.start(name);
  for (;;) {
    const [cpu, wall] = [process.cpuUsage(), performance.now()];
    const done = bench.next_part();
    if (done === undefined) break;
    const used = process.cpuUsage(cpu);
    const [part, ...rest] = done.split("\t");
    const took = [(used.user + used.system) / 1e6, (performance.now() - wall) / 1e3];
    if (run === WARM_UP) console.log([name, part, ...took.map((seconds) => seconds.toFixed(6)), ...rest].join("\t"));
  }
  bench.free();
}
