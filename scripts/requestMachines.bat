@echo off
rem Host Factory: ask for machines. Usage: requestMachines.bat -f FILE
call "%~dp0launcher.bat" requestMachines %*
exit /b %ERRORLEVEL%
