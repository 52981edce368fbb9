#!/bin/sh
# Starts the server, from any folder: start-backend.sh [options] [-- COMMAND [ARG...]]
set -eu

program=start_server

# The folder above this script's own, whatever symlinks lead here.
self=$0
while [ -L "$self" ]; do
  link=$(readlink "$self")
  case $link in
    /*) self=$link ;;
    *) self=$(dirname -- "$self")/$link ;;
  esac
done
scripts=$(CDPATH="" cd -- "$(dirname -- "$self")" && pwd -P)
root=$(dirname "$scripts")

# The server runs in the current folder; opened from a file manager, that is the one of this script.
if [ "$(pwd -P)" = "$scripts" ]; then cd "$root"; fi

if [ -x "$root/dist/$program" ]; then exec "$root/dist/$program" "$@"; fi
if command -v deno >/dev/null; then exec deno run -A "$root/$program.ts" "$@"; fi
if command -v npx >/dev/null; then exec npx --yes deno run -A "$root/$program.ts" "$@"; fi

cat >&2 <<END
❌ Cannot find Deno, which runs this program. Any of these helps:
   - install it: curl -fsSL https://deno.land/install.sh | sh
   - install Node.js, whose npx fetches it: https://nodejs.org
   - put the compiled program, $program, into $root/dist
END
exit 127
