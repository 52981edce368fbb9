/** The built-in server, as it runs. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { isAlive, Place, waitUntil } from "./harness.ts";

/** Sends a request as it is, and reads until the server closes. */
async function raw(port: number, request: string): Promise<string> {
  using connection = await Deno.connect({ port });
  await connection.write(new TextEncoder().encode(request));
  return await new Response(connection.readable).text();
}

Deno.test("the built-in server answers odd requests, and leaves no trace of an error", async () => {
  await using place = new Place();
  await using started = await place.start([]);
  const close = "Connection: close\r\n\r\n";
  const table: [request: string, status: string][] = [
    [`GET /health HTTP/1.1\r\nHost: <script>\r\n${close}`, "400 Bad Request"],
    [`GET / HTTP/1.1\r\nHost: a:99999\r\n${close}`, "400 Bad Request"],
    [`GET //health HTTP/1.1\r\nHost: a\r\n${close}`, "404 Not Found"],
    [`OPTIONS * HTTP/1.1\r\nHost: a\r\n${close}`, "204 No Content"],
    [`BREW / HTTP/1.1\r\nHost: a\r\n${close}`, "405 Method Not Allowed"],
  ];

  for (const [request, status] of table) {
    assertEquals((await raw(place.port, request)).slice(9).split("\r\n")[0], status, request);
  }

  const got = await raw(place.port, `GET / HTTP/1.1\r\nHost: a\r\n${close}`);
  const head = await raw(place.port, `HEAD / HTTP/1.1\r\nHost: a\r\n${close}`);
  const dateless = (text: string) => text.replace(/^date: .*$/m, "");
  assertEquals(dateless(head), dateless(got.slice(0, got.indexOf("\r\n\r\n") + 4)));
  assertStringIncludes(got, `<code>${place.dir}</code>`);
  assertStringIncludes(got, `http://localhost:${place.port}`);
  assertEquals(started.stderr, "");
});

Deno.test("the built-in server goes at once, whoever is connected, and ends well", async () => {
  await using place = new Place();
  await using started = await place.start([]);
  const pid = place.serverPid();
  const idle = await Deno.connect({ port: place.port });
  const half = await Deno.connect({ port: place.port });
  await half.write(new TextEncoder().encode("GET / HT"));

  started.kill("SIGTERM");
  const { code, stderr } = await started.finished();
  await waitUntil(() => !isAlive(pid), "the end of the server");
  idle.close();
  half.close();

  assertEquals([code, stderr, place.leftFiles()], [0, "", []]);
});
