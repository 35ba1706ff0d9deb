@echo off
rem Host Factory: the host templates on offer. Usage: getAvailableTemplates.bat -f FILE
call "%~dp0launcher.bat" getAvailableTemplates %*
exit /b %ERRORLEVEL%
