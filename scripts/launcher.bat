@echo off
rem Called by the five scripts with the operation first. HF_AWS_NODE names the Node to use, else the one on PATH.
setlocal
set "NODE_EXE=%HF_AWS_NODE%"
if not defined NODE_EXE set "NODE_EXE=node.exe"
set "LOG_DIR=%HF_PROVIDER_LOGDIR%"
if not defined LOG_DIR set "LOG_DIR=%HF_LOGDIR%"
if not defined LOG_DIR set "LOG_DIR=%PRO_LSF_LOGDIR%"
set "INSTANCE=%HF_PROVIDER_NAME%"
if not defined INSTANCE set "INSTANCE=%PROVIDER_NAME%"
if not defined INSTANCE set "INSTANCE=awsinst"
set "ERRORS=NUL"
if defined LOG_DIR if exist "%LOG_DIR%\" set "ERRORS=%LOG_DIR%\%INSTANCE%-provider.err"
if not exist "%~dp0..\dist\hf-aws.cjs" (
  echo {"message":"hostfactory-aws is not built: run npm ci and npm run build in its folder, or install the package again"}
  exit /b 1
)
set "HF_AWS_LAUNCHER=1"
"%NODE_EXE%" "%~dp0..\dist\hf-aws.cjs" %* 2>>"%ERRORS%"
if %ERRORLEVEL%==10 exit /b 0
if %ERRORLEVEL%==11 exit /b 1
echo {"message":"hostfactory-aws ended without an answer: is HF_AWS_NODE or node.exe on PATH Node 20.19 or later?"}
exit /b 1
