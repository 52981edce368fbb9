/*
 * netstat for wine, whose own shows no owner: asks the Win32 interface that the real one asks, and prints
 * in the form of the recordings in tests/fixtures/.
 */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <iphlpapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <winternl.h>

#define SYSTEM_HANDLES 16
#define MAX_LISTENERS 256

struct entry {
  ULONG pid;
  BYTE type, flags;
  USHORT handle;
  void *object;
  ULONG access;
};

static struct {
  ADDRESS_FAMILY family;
  WORD port;
  DWORD pid;
} listeners[MAX_LISTENERS];
static int listening;

/* Whether a handle is a socket that has a name, and nobody at the other end; if so it is noted. */
static void look_at(HANDLE process, const struct entry *one) {
  HANDLE copy;
  struct sockaddr_in6 name, peer;
  int size = sizeof name, peerSize = sizeof peer;
  if (!DuplicateHandle(process, (HANDLE)(ULONG_PTR)one->handle, GetCurrentProcess(), &copy, 0, FALSE,
                       DUPLICATE_SAME_ACCESS)) return;
  if (listening < MAX_LISTENERS && !getsockname((SOCKET)copy, (struct sockaddr *)&name, &size) &&
      getpeername((SOCKET)copy, (struct sockaddr *)&peer, &peerSize)) {
    listeners[listening].family = name.sin6_family;
    listeners[listening].port = name.sin6_port;
    listeners[listening++].pid = one->pid;
  }
  CloseHandle(copy);
}

/*
 * Wine shows no owner, since its server holds the sockets: so every handle is asked that has the type and
 * the rights of a socket made here.
 */
static void list_listeners(void) {
  ULONG size = 1 << 22;
  struct { ULONG count; struct entry all[]; } *handles = malloc(size);
  SOCKET sample = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
  BYTE type = 0;
  ULONG access = 0;
  if (NtQuerySystemInformation(SYSTEM_HANDLES, handles, size, NULL)) return;
  for (ULONG i = 0; i < handles->count; i++) {
    const struct entry *one = &handles->all[i];
    if (one->pid != GetCurrentProcessId() || one->handle != (USHORT)sample) continue;
    type = one->type;
    access = one->access;
  }
  for (ULONG i = 0; i < handles->count; i++) {
    const struct entry *one = &handles->all[i];
    if (one->type != type || one->access != access) continue;
    HANDLE process = OpenProcess(PROCESS_DUP_HANDLE, FALSE, one->pid);
    if (process) look_at(process, one);
    if (process) CloseHandle(process);
  }
}

static DWORD owner_of(ADDRESS_FAMILY family, DWORD port, DWORD state, DWORD shown) {
  for (int i = 0; state == MIB_TCP_STATE_LISTEN && shown == 0 && i < listening; i++) {
    if (listeners[i].family == family && listeners[i].port == (WORD)port) return listeners[i].pid;
  }
  return shown;
}

static void print_row(const char *local, const char *remote, DWORD state, DWORD pid) {
  const char *word = state == MIB_TCP_STATE_LISTEN  ? "LISTENING"
                     : state == MIB_TCP_STATE_ESTAB ? "ESTABLISHED"
                                                    : "TIME_WAIT";
  printf("  TCP    %-22s %-22s %-15s %lu\r\n", local, remote, word, pid);
}

static const char *ipv4(char *into, DWORD address, DWORD port, BOOL isListener) {
  BYTE *part = (BYTE *)&address;
  sprintf(into, "%u.%u.%u.%u:%u", part[0], part[1], part[2], part[3],
          isListener ? 0 : ntohs((WORD)port));
  return into;
}

static const char *ipv6(char *into, const UCHAR *address, DWORD port, BOOL isListener) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(AF_INET6, address, text, sizeof text);
  sprintf(into, "[%s]:%u", text, isListener ? 0 : ntohs((WORD)port));
  return into;
}

static void *tcp_table(ULONG family) {
  DWORD size = 1 << 20;
  void *table = calloc(1, size);
  return GetExtendedTcpTable(table, &size, TRUE, family, TCP_TABLE_OWNER_PID_ALL, 0) ? NULL : table;
}

static int netstat(void) {
  char local[80], remote[80];
  list_listeners();
  MIB_TCPTABLE_OWNER_PID *four = tcp_table(AF_INET);
  MIB_TCP6TABLE_OWNER_PID *six = tcp_table(AF_INET6);
  printf("\r\nActive Connections\r\n\r\n  Proto  Local Address          Foreign Address        "
         "State           PID\r\n");
  for (DWORD i = 0; four && i < four->dwNumEntries; i++) {
    MIB_TCPROW_OWNER_PID *row = &four->table[i];
    print_row(ipv4(local, row->dwLocalAddr, row->dwLocalPort, FALSE),
              ipv4(remote, row->dwRemoteAddr, row->dwRemotePort,
                   row->dwState == MIB_TCP_STATE_LISTEN),
              row->dwState, owner_of(AF_INET, row->dwLocalPort, row->dwState, row->dwOwningPid));
  }
  for (DWORD i = 0; six && i < six->dwNumEntries; i++) {
    MIB_TCP6ROW_OWNER_PID *row = &six->table[i];
    print_row(ipv6(local, row->ucLocalAddr, row->dwLocalPort, FALSE),
              ipv6(remote, row->ucRemoteAddr, row->dwRemotePort,
                   row->dwState == MIB_TCP_STATE_LISTEN),
              row->dwState, owner_of(AF_INET6, row->dwLocalPort, row->dwState, row->dwOwningPid));
  }
  return 0;
}

int main(void) {
  WSADATA sockets;
  WSAStartup(MAKEWORD(2, 2), &sockets);
  return netstat();
}
