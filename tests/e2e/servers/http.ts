// A plain server. Usage: http.ts PORT [HOST]
const [port = "0", hostname = "127.0.0.1"] = Deno.args;
Deno.serve({ port: Number(port), hostname, onListen: () => {} }, () => new Response("plain\n"));
