'use strict';
// A start of Node as it is on a host with far too much to do.
const until = Date.now() + 1300;
while (Date.now() < until);
