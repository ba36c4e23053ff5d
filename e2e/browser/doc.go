// Package browser drives Debian's Chromium through the hub, as a person does: it logs in, works in JupyterLab, opens
// the pages and takes their pictures. The tests have the build tag e2e, like those of package e2e.
//
// [Tab] is one tab of a browser of its own, with its own cookies. It clicks and types for real (input events through
// the DevTools protocol), and waits by polling conditions in the page, so that it survives navigations. Uncaught
// exceptions of the hub's own scripts fail the test.
//
// [Tab.Look] looks for barriers with axe-core, and with MINIHUB_SCREENSHOTS=1 writes pictures of the page to docs/images.
package browser
