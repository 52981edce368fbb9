@echo off
rem Stops whatever uses the port, then starts the server, from any folder: restart-backend.bat [options] [-- COMMAND [ARG...]]
setlocal DisableDelayedExpansion

set "BACKEND_PROGRAM=start_server"
set "BACKEND_FIRST=--force"
set "BACKEND_SCRIPTS=%~dp0"

rem The server runs in the current folder; double-clicked, that is the one of this script.
if /i "%CD%\"=="%BACKEND_SCRIPTS%" cd /d "%BACKEND_SCRIPTS%.."

set "BACKEND_BINARY=%BACKEND_SCRIPTS%..\dist\%BACKEND_PROGRAM%.exe"
set "BACKEND_SOURCE=%BACKEND_SCRIPTS%..\%BACKEND_PROGRAM%.ts"
for %%I in (deno.exe) do set "BACKEND_DENO=%%~$PATH:I"
for %%I in (deno.cmd) do set "BACKEND_DENO_CMD=%%~$PATH:I"
for %%I in (npx.cmd) do set "BACKEND_NPX=%%~$PATH:I"

if exist "%BACKEND_BINARY%" goto binary
if defined BACKEND_DENO goto deno
if defined BACKEND_DENO_CMD goto deno_cmd
if defined BACKEND_NPX goto npx

echo Cannot find Deno, which runs this program. Any of these helps:>&2
echo   - install it: winget install DenoLand.Deno>&2
echo   - install Node.js, whose npx fetches it: https://nodejs.org>&2
echo   - put the compiled program, %BACKEND_PROGRAM%.exe, into the folder dist>&2
set "BACKEND_CODE=9009"
goto end

:binary
"%BACKEND_BINARY%" %BACKEND_FIRST% %*
set "BACKEND_CODE=%ERRORLEVEL%"
goto end

:deno
"%BACKEND_DENO%" run -A "%BACKEND_SOURCE%" %BACKEND_FIRST% %*
set "BACKEND_CODE=%ERRORLEVEL%"
goto end

rem Without "call", a batch file that runs another never comes back.
:deno_cmd
call "%BACKEND_DENO_CMD%" run -A "%BACKEND_SOURCE%" %BACKEND_FIRST% %*
set "BACKEND_CODE=%ERRORLEVEL%"
goto end

:npx
call "%BACKEND_NPX%" --yes deno run -A "%BACKEND_SOURCE%" %BACKEND_FIRST% %*
set "BACKEND_CODE=%ERRORLEVEL%"
goto end

rem The window of a double click would close at once. Explorer runs: cmd.exe /c ""FILE" "
:end
if "%BACKEND_CODE%"=="0" exit /b 0
setlocal EnableDelayedExpansion
set "LINE=!CMDCMDLINE!"
if not defined LINE exit /b %BACKEND_CODE%
set "REST=!LINE:*/c =!"
set "HEAD=!REST:~0,2!"
set "TAIL=!REST:~-3!"
if !HEAD!=="" if !TAIL!==" " pause
exit /b %BACKEND_CODE%
