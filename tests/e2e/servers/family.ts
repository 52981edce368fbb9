// deno-lint-ignore-file no-console -- it talks to its test
// A server whose child ignores SIGTERM. Usage: family.ts PORT
const [port, role] = Deno.args;
if (role === "child") {
  Deno.addSignalListener("SIGTERM", () => {});
  setInterval(() => {}, 1000);
} else {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-config", "--no-lock", import.meta.filename!, port!, "child"],
  }).spawn();
  console.log(`child ${child.pid}`);
  Deno.serve({ port: Number(port), onListen: () => {} }, () => new Response("family\n"));
}
