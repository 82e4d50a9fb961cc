// The benchmarks in wasm under node: `node bench.mjs MODULE [NAME]`, called by `cargo xtask bench`.
// The module offers bench_names() -> string[] and bench_run(name) -> number, the units of work that one run
// does; it has no clock of its own.

import { createRequire } from "node:module";
import { resolve } from "node:path";

const [module, only = ""] = process.argv.slice(2);
const { bench_names, bench_run } = createRequire(import.meta.url)(resolve(module));
if (!bench_names || !bench_run) throw new Error("the module offers no benchmarks");

for (const name of bench_names().filter((name) => name.includes(only))) {
  let best = Infinity;
  let work = 0;
  // The first run warms the compiler up; the best of the others has been disturbed least.
  for (let run = 0; run < 6; run += 1) {
    const start = performance.now();
    work = bench_run(name);
    if (run > 0) best = Math.min(best, performance.now() - start);
  }
  console.log(`wasm ${name}: ${best.toFixed(1)} ms, ${Math.round(work / (best / 1000))} per second`);
}
