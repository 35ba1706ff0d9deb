@echo off
rem Host Factory: how create and return requests stand. Usage: getRequestStatus.bat -f FILE
call "%~dp0launcher.bat" getRequestStatus %*
exit /b %ERRORLEVEL%
