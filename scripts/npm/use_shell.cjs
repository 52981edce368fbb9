// Run by npm after the installation: where there is /bin/sh its launchers take the place of Node's.
const { chmodSync, readdirSync, readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");

if (process.platform !== "win32") {
  const text = readFileSync(join(__dirname, "launcher.sh"), "utf8");
  const bin = join(__dirname, "bin");
  for (const name of readdirSync(bin)) {
    writeFileSync(join(bin, name), text.replaceAll("NAME", name));
    chmodSync(join(bin, name), 0o755);
  }
}
