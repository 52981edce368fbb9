#!/usr/bin/env node
// Runs NAME.js with the Deno that npm installed: on Windows, and where npm ran no install script, which
// else puts a shell's launcher here that takes 1 ms in place of Node's 50.
const { spawn } = require("node:child_process");
const { existsSync, readdirSync } = require("node:fs");
const { dirname, join } = require("node:path");

const package = dirname(__dirname);

function findDeno() {
  const file = process.platform === "win32" ? "deno.exe" : "deno";
  for (let folder = package;; folder = dirname(folder)) {
    const modules = join(folder, "node_modules");
    const scope = join(modules, "@deno");
    const packages = existsSync(scope) ? readdirSync(scope).map((name) => join(scope, name)) : [];
    const found = [join(modules, "deno"), ...packages].map((path) => join(path, file)).find(
      existsSync,
    );
    if (found !== undefined || folder === dirname(folder)) return found;
  }
}

const deno = findDeno();
if (deno === undefined) {
  // deno-lint-ignore no-console -- a program
  console.error("❌ Deno is missing, which npm installs beside this package: npm install deno");
  process.exit(127);
}
const script = join(package, "NAME.js");
const args = ["run", "-A", "--no-config", "--no-lock", script, ...process.argv.slice(2)];
// Node 22.15 and later can let Deno take its place; on Windows nothing can.
if (process.execve && process.platform !== "win32") process.execve(deno, [deno, ...args]);
const child = spawn(deno, args, { stdio: "inherit" });
child.on("exit", (code) => process.exit(code ?? 1));
// Ctrl+C reaches the program by itself; who waits for its exit code must not die of it.
process.on("SIGINT", () => {});
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
