// Writes each signal it gets to a file, ends 300 ms after the first, or never with "never".
// Usage: count_signals.ts PORT FILE [never]
const [port, file, never] = Deno.args;
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"] as const) {
  Deno.addSignalListener(signal, () => {
    Deno.writeTextFileSync(file!, `${signal}\n`, { append: true });
    if (never === undefined) setTimeout(() => Deno.exit(0), 300);
  });
}
Deno.serve({ port: Number(port), onListen: () => {} }, () => new Response("counting\n"));
