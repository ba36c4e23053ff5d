// Package archtest holds the tests that keep the code in the shape that ARCHITECTURE.md describes.
//
// [Check] reads the Go files of a tree (syntax only, nothing is compiled, so it also works while a package does
// not build) and returns one [Problem] for each rule that a line breaks, with file and line:
//
//   - imports point down and only where the package map of ARCHITECTURE.md §1 allows (table.go);
//   - net/http stays out of the hub, rbac and orm packages; GORM stays in orm; go-oauth2 in oauthprovider;
//   - files, functions, interfaces and constructors keep the sizes of §7;
//   - every package has a package comment, and those without a compatibility promise say so.
//
// Test files are free: they may import anything and be of any length. When a rule is in the way, change
// ARCHITECTURE.md and the table together, in one commit that tells why.
package archtest
