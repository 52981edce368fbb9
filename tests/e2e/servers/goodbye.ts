// deno-lint-ignore-file no-console -- it talks to its test
// Needs a second to say goodbye. Usage: goodbye.ts PORT
const server = Deno.serve({ port: Number(Deno.args[0]), onListen: () => {} }, () => new Response());
let asked = 0;
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.addSignalListener(signal, () => {
    console.log(`got ${signal} number ${++asked}`);
    if (asked > 1) return;
    setTimeout(() => {
      console.log("goodbye");
      server.shutdown().then(() => Deno.exit(7));
    }, 1000);
  });
}
