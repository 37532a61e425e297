// Makes the same edits with each tool, on copies of the same files, and prints what
// became of the text: lines that changed, comments that went, or why it was refused.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import * as cj from "comment-json";
import * as jc from "jsonc-parser";

const real = "../../../txn/jsonpatch/testdata/real/";
const jtx = join(process.cwd(), "bin/jtx");
const yq = join(process.cwd(), "bin/yq");
const yqRename = (program) => program.replace('if .key == "dev" then .key = "start" else . end', '(select(.key == "dev") | .key) = "start"');

// Each edit: what it is, its file, the arguments of jtx behind the file, the jq program
// (yq's too, but for the rename), and for the libraries a path and a value, null for
// none: undefined removes. "move" renames.
const edits = [
  ["set a version", "package.json", ["set", "/version", '"3.15.0"'], '.version = "3.15.0"', ["version"], "3.15.0"],
  ["add a dependency (sorted)", "package.json", ["set", "/dependencies/immer", '"^10.1.1"'], '.dependencies.immer = "^10.1.1"', ["dependencies", "immer"], "^10.1.1"],
  ["remove a dependency", "package.json", ["del", "/dependencies/clsx"], "del(.dependencies.clsx)", ["dependencies", "clsx"], undefined],
  ["add a short array", "package.json", ["set", "/files", '["dist","README.md"]'], '.files = ["dist","README.md"]', ["files"], ["dist", "README.md"]],
  ["append to a list in lines", "package.json", ["set", "/browserslist/-", '"not op_mini all"'], '.browserslist += ["not op_mini all"]', ["browserslist", 3], "not op_mini all"],
  ["rename a script", "package.json", ["patch", '[{"op":"move","from":"/scripts/dev","path":"/scripts/start"}]'], ".scripts |= with_entries(if .key == \"dev\" then .key = \"start\" else . end)", ["scripts", "dev"], { move: "start" }],
  ["set in CRLF", "package-crlf.json", ["set", "/version", '"9.9.9"'], '.version = "9.9.9"', ["version"], "9.9.9"],
  ["set in a lock file of 1 MB", "package-lock.json", ["set", "/version", '"9.9.9"'], '.version = "9.9.9"', ["version"], "9.9.9"],
  ["set below comments", "tsconfig.json", ["set", "/compilerOptions/strict", "false"], ".compilerOptions.strict = false", ["compilerOptions", "strict"], false],
  ["add beside comments", "tsconfig-tabs.json", ["set", "/compilerOptions/sourceMap", "true"], ".compilerOptions.sourceMap = true", ["compilerOptions", "sourceMap"], true],
  ["remove with its comment", "tsconfig-tabs.json", ["del", "/compilerOptions/target"], "del(.compilerOptions.target)", ["compilerOptions", "target"], undefined],
  ["set a setting with a comment", "vscode-settings.json", ["set", "/editor.tabSize", "2"], '.["editor.tabSize"] = 2', ["editor.tabSize"], 2],
  ["add behind a trailing comma", "vscode-settings.json", ["set", "/files.exclude/**~1out", "true"], '.["files.exclude"]["**/out"] = true', ["files.exclude", "**/out"], true],
  ["set with BOM and CRLF", "settings-bom.jsonc", ["set", "/window/width", "1440"], ".window.width = 1440", ["window", "width"], 1440],
  ["append an object to a list", "settings-bom.jsonc", ["set", "/fonts/-", '{"family":"Arial","size":10}'], '.fonts += [{"family":"Arial","size":10}]', ["fonts", 2], { family: "Arial", size: 10 }],
  ["clear a notebook's output", "notebook.json", ["set", "/cells/1/outputs", "[]"], ".cells[1].outputs = []", ["cells", 1, "outputs"], []],
  ["set in an OpenAPI file", "openapi.json", ["set", "/info/version", '"1.3.0"'], '.info.version = "1.3.0"', ["info", "version"], "1.3.0"],
  ["set in a one-line file", "lottie.json", ["set", "/w", "1024"], ".w = 1024", ["w"], 1024],
  ["set an own layout (GeoJSON)", "countries.geojson", ["set", "/name", '"countries"'], '.name = "countries"', ["name"], "countries"],
  ["add an author, with tabs", "composer.json", ["set", "/homepage", '"https://example.org/"'], '.homepage = "https://example.org/"', ["homepage"], "https://example.org/"],
];

const outside = mkdtempSync(join(tmpdir(), "edits-"));
const unitOf = (t) => (/\n([ \t]+)\S/.exec(t) ?? [, "  "])[1];

// What a caller of jsonc-parser passes who looks at the file first.
function formatting(text) {
  const unit = unitOf(text);
  return { insertSpaces: unit[0] !== "\t", tabSize: unit[0] === "\t" ? 4 : unit.length, eol: text.includes("\r\n") ? "\r\n" : "\n" };
}

const tools = {
  jtx(file, e) {
    const [verb, ...args] = e[2];
    return run(jtx, [verb, basename(file), ...args], file);
  },
  "jsonc-parser"(file, e) {
    const text = readFileSync(file, "utf8");
    const opts = { formattingOptions: formatting(text) };
    if (e[5]?.move) {
      const value = jc.getNodeValue(jc.findNodeAtLocation(jc.parseTree(text), e[4]));
      const removed = jc.applyEdits(text, jc.modify(text, e[4], undefined, opts));
      const path = [...e[4].slice(0, -1), e[5].move];
      writeFileSync(file, jc.applyEdits(removed, jc.modify(removed, path, value, opts)));
      return;
    }
    writeFileSync(file, jc.applyEdits(text, jc.modify(text, e[4], e[5], opts)));
  },
  "comment-json"(file, e) {
    const text = readFileSync(file, "utf8");
    const bom = text.startsWith("\ufeff") ? "\ufeff" : "";
    const doc = cj.parse(text.slice(bom.length));
    let at = doc;
    for (const token of e[4].slice(0, -1)) at = at[token];
    const last = e[4].at(-1);
    if (e[5]?.move) {
      at[e[5].move] = at[last];
      delete at[last];
    } else if (e[5] === undefined) delete at[last];
    else at[last] = e[5];
    let out = cj.stringify(doc, null, text.includes("\n") ? unitOf(text) : "");
    if (text.endsWith("\n")) out += "\n";
    if (text.includes("\r\n")) out = out.replace(/\r?\n/g, "\r\n");
    writeFileSync(file, bom + out);
  },
  jq(file, e) {
    const unit = unitOf(readFileSync(file, "utf8"));
    const layout = !readFileSync(file, "utf8").trim().includes("\n") ? ["-c"] : unit[0] === "\t" ? ["--tab"] : ["--indent", String(unit.length)];
    writeFileSync(file, run("jq", [...layout, e[3], basename(file)], file));
  },
  yq(file, e) {
    const text = readFileSync(file, "utf8");
    const unit = text.trim().includes("\n") ? unitOf(text).length : 0;
    writeFileSync(file, run(yq, ["-p", "json", "-o", "json", "-I", String(unit), yqRename(e[3]), basename(file)], file));
  },
};

function run(program, args, file) {
  const done = spawnSync(program, args, { cwd: join(file, ".."), encoding: "utf8", maxBuffer: 1 << 28 });
  if (done.status !== 0) throw new Error("refused");
  return done.stdout;
}

// lines counts those of either text that the other has not, as diff does.
function lines(before, after) {
  const a = join(outside, "a"), b = join(outside, "b");
  writeFileSync(a, before);
  writeFileSync(b, after);
  const out = spawnSync("diff", ["-a", a, b], { encoding: "utf8", maxBuffer: 1 << 28 }).stdout;
  return out.split("\n").filter((l) => /^[<>]/.test(l)).length;
}

function comments(text) {
  let n = 0;
  const scanner = jc.createScanner(text.replace(/^\ufeff/, ""), false);
  for (let kind; (kind = scanner.scan()) !== 17; ) if (kind === 12 || kind === 13) n++;
  return n;
}

const value = (text) => JSON.stringify(sorted(jc.parse(text.replace(/^\ufeff/, ""), [], { allowTrailingComma: true })));
const sorted = (v) => (Array.isArray(v) ? v.map(sorted) : v && typeof v === "object" ? Object.fromEntries(Object.keys(v).sort().map((k) => [k, sorted(v[k])])) : v);

function outcome(tool, e) {
  const dir = mkdtempSync(join(outside, "t-"));
  const file = join(dir, e[1]);
  copyFileSync(real + e[1], file);
  const before = readFileSync(file, "utf8");
  try {
    tools[tool](file, e);
  } catch (err) {
    return { text: err.message === "refused" ? "refused" : `failed: ${err.message}`, bad: true };
  }
  const after = readFileSync(file, "utf8");
  rmSync(dir, { recursive: true });
  const lost = comments(before) - comments(after);
  const oneLine = !before.trim().includes("\n");
  const said = [oneLine ? `${Math.max(0, byteDiff(before, after))} bytes` : String(lines(before, after))];
  if (lost > 0) said.push(`${lost} comment${lost > 1 ? "s" : ""} gone`);
  if (before.startsWith("\ufeff") && !after.startsWith("\ufeff")) said.push("BOM gone");
  if (before.includes("\r\n") && !after.includes("\r\n")) said.push("CRLF gone");
  return { text: said.join(", "), value: value(after) };
}

function byteDiff(a, b) {
  let lo = 0, hi = 0;
  while (lo < a.length && a[lo] === b[lo]) lo++;
  while (hi < Math.min(a.length, b.length) - lo && a[a.length - 1 - hi] === b[b.length - 1 - hi]) hi++;
  return Math.max(a.length, b.length) - lo - hi;
}

const has = { jq: spawnSync("jq", ["--version"]).status === 0, yq: existsSync(yq) };
const names = Object.keys(tools).filter((t) => has[t] ?? true);
console.log(`| edit | file | ${names.join(" | ")} |`);
console.log(`|---|---|${names.map(() => "---|").join("")}`);
let wrong = 0;
for (const e of edits) {
  const cells = names.map((t) => outcome(t, e));
  const want = cells[0].value;
  for (const c of cells) if (c.value && c.value !== want) c.text += ", another value";
  if (cells[0].bad) wrong++;
  console.log(`| ${e[0]} | ${basename(e[1])} | ${cells.map((c) => c.text).join(" | ")} |`);
}
rmSync(outside, { recursive: true });
process.exit(wrong ? 1 : 0);
