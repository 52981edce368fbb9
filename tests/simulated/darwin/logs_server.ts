/** logs_server.ts as it runs on the simulated Mac. */
import "./as_darwin.ts";
import "../../../scripts/logs_server.ts";
