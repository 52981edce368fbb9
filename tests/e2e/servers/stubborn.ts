// deno-lint-ignore-file no-console -- it talks to its test
// Ignores every polite signal, and says which it got. Usage: stubborn.ts PORT
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"] as const) {
  Deno.addSignalListener(signal, () => console.log(`got ${signal}`));
}
Deno.serve({ port: Number(Deno.args[0]), onListen: () => {} }, () => new Response("stubborn\n"));
