@echo off
rem Host Factory: which machines AWS takes away. Usage: getReturnRequests.bat -f FILE
call "%~dp0launcher.bat" getReturnRequests %*
exit /b %ERRORLEVEL%
