@echo off
rem Host Factory: give machines back. Usage: requestReturnMachines.bat -f FILE
call "%~dp0launcher.bat" requestReturnMachines %*
exit /b %ERRORLEVEL%
