// A server that answers with its arguments. Usage: words.ts PORT [WORD...]
const [port, ...words] = Deno.args;
Deno.serve(
  { port: Number(port), hostname: "127.0.0.1", onListen: () => {} },
  () => Response.json(words),
);
