// Prints how much the official suite and turncoat judged of one server, in the revisions that it speaks.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const [results, name] = process.argv.slice(2);
const report = JSON.parse(readFileSync(join(results, `${name}.json`), "utf8"));
const spoken = report.subject.revisions;

const lines = readFileSync(join(results, `${name}.tsv`), "utf8").trim().split("\n");
const checks = lines
    .map((line) => line.split("\t"))
    .filter(([revision, , , verdict]) => spoken.includes(revision) && !["SKIPPED", "INFO"].includes(verdict));
print("official", checks.map(([revision, , id]) => [id, revision]));

const rules = report.rules.filter(({ outcome }) => outcome === "pass" || outcome === "fail");
print("turncoat", rules.map(({ rule, revision }) => [rule, revision]));

function print(who, judged) {
    const each = new Set(judged.map(([id]) => id)).size;
    const all = new Set(judged.map(([id, revision]) => `${id} ${revision}`)).size;
    console.log(`${name} ${who}: ${each} requirements judged, ${all} counting each revision`);
}
