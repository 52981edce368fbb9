#!/bin/sh
# Sets up the Windows build of Deno under wine, on Debian as root, so that wrappers_test.ts can run the
# batch files and tests/windows the programs. Takes two minutes. What it makes lies in ${TMPDIR:-/tmp}/server-wine.
set -eu
home="${TMPDIR:-/tmp}/server-wine"
mkdir -p "$home"
cd "$home"
apt-get update
apt-get install -y --no-install-recommends wine wine64 gcc-mingw-w64-x86-64-win32
npm pack @deno/win32-x64
tar xzf deno-win32-x64-*.tgz
chmod +x package/deno.exe

# wine 8 lacks bcryptprimitives.dll; Deno needs one function of it.
cat >random.c <<'C'
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE at, SIZE_T left) {
  while (left) {
    ULONG part = left > 65536 ? 65536 : (ULONG)left;
    SystemFunction036(at, part);
    at += part;
    left -= part;
  }
  return TRUE;
}
BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, LPVOID reserved) { return TRUE; }
C
x86_64-w64-mingw32-gcc -shared -o package/bcryptprimitives.dll random.c -ladvapi32

# V8 uses VirtualAlloc2 where it is exported; wine's knows no placeholders, so its name is hidden.
python3 - "$(dpkg -L libwine | grep x86_64-windows/kernelbase.dll)" <<'P'
import sys
path = sys.argv[1]
text = open(path, "rb").read()
open(path, "wb").write(text.replace(b"\0VirtualAlloc2\0", b"\0VirtualAlloc1\0"))
P

wine="$(dpkg -L wine64 | grep '/wine64$' | head -1)"
WINEPREFIX="$home/prefix" WINEDEBUG=-all "$wine" winecfg -v win10 || true
printf '#!/bin/sh\nexec "%s" "$@"\n' "$wine" >"$home/wine" # it looks for its files beside itself
chmod +x "$home/wine"
