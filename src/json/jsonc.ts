/** For files with comments or faults, and to find places in them: a part of its own, since most files are plain JSON. */
export { findNodeAtLocation, getNodeValue, parse, parseTree, printParseErrorCode } from 'jsonc-parser';
