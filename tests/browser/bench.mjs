// The benchmarks in wasm under node: `node bench.mjs MODULE NAME`, called by `cargo xtask bench`, in the columns of
// `setpoint bench`: run, part, seconds of CPU, seconds of wall time, simulated seconds, events, requests, ready pods.

import { createRequire } from "node:module";
import { resolve } from "node:path";

const [module, name] = process.argv.slice(2);
const { Bench } = createRequire(import.meta.url)(resolve(module));

// The first run warms the compiler up and is not printed.
for (const isWarm of [false, true]) {
  const bench = Bench.start(name);
  for (;;) {
    const [cpu, wall] = [process.cpuUsage(), performance.now()];
    const done = bench.next_part();
    if (done === undefined) break;
    const used = process.cpuUsage(cpu);
    const [part, ...rest] = done.split("\t");
    const took = [(used.user + used.system) / 1e6, (performance.now() - wall) / 1e3];
    if (isWarm) console.log([name, part, ...took.map((seconds) => seconds.toFixed(6)), ...rest].join("\t"));
  }
  bench.free();
}
