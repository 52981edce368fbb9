#!/bin/sh
# Runs NAME.js with the Deno that npm installed. `exec` puts Deno in the place of this shell: nothing stays
# beside it, so signals and exit code are the program's own.
file=$0
while [ -L "$file" ]; do
  link=$(readlink "$file")
  case $link in
    /*) file=$link ;;
    *) file=${file%/*}/$link ;;
  esac
done
package=$(CDPATH='' cd -P -- "${file%/*}/.." && pwd -P) || exit 1
folder=$package
while [ -n "$folder" ]; do
  # Without npm's install scripts the binary is only in the package of this system.
  for deno in "$folder/node_modules/deno/deno" "$folder"/node_modules/@deno/*/deno; do
    [ -x "$deno" ] && exec "$deno" run -A --no-config --no-lock "$package/NAME.js" "$@"
  done
  folder=${folder%/*}
done
echo "❌ Deno is missing, which npm installs beside this package: npm install deno" >&2
exit 127
