// deno-lint-ignore-file no-console -- it talks to its test
// A server that says what it hears. Usage: server.ts PORT [polite|deaf|lazy|CODE] [WORD...]
//   polite: says goodbye at Ctrl+C, after half a second; deaf: hears it and goes on
//   lazy: never listens; a number: ends with it after two seconds
const [port, mode = "polite", ...words] = Deno.args;
const say = (word: string) => console.log(`${word} from the server`);

Deno.addSignalListener("SIGINT", () => {
  say("hearing");
  if (mode !== "deaf") setTimeout(() => (say("goodbye"), Deno.exit(0)), 500);
});
say("hello");
if (/^\d+$/.test(mode)) setTimeout(() => Deno.exit(Number(mode)), 2000);
if (mode === "lazy") setInterval(() => {}, 1000);
else {
  Deno.serve(
    { port: Number(port), hostname: "127.0.0.1", onListen: () => {} },
    () => Response.json([...words, Deno.env.get("GREETING") ?? ""]),
  );
}
