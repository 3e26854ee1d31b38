// Prints what the suite found in all revisions, one line per check: revision, scenario, check, verdict, message.
//
// A check that was made several times is one line with the worst of its verdicts.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const WORST_FIRST = ["FAILURE", "WARNING", "SUCCESS", "SKIPPED", "INFO"];

const results = process.argv[2];
for (const revision of directories(results)) {
    for (const run of directories(join(results, revision))) {
        const scenario = run.replace(/^server-/, "").replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, "");
        const checks = JSON.parse(readFileSync(join(results, revision, run, "checks.json"), "utf8"));
        for (const id of new Set(checks.map((check) => check.id))) {
            const same = checks.filter((check) => check.id === id);
            const [worst] = same.sort((a, b) => WORST_FIRST.indexOf(a.status) - WORST_FIRST.indexOf(b.status));
            const message = (worst.errorMessage ?? "").replaceAll(/\s+/g, " ");
            console.log([revision, scenario, id, worst.status, message].join("\t"));
        }
    }
}

function directories(path) {
    return readdirSync(path, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => entry.name)
        .sort();
}
