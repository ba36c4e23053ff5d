// Package freeport finds TCP ports for tests that have to name a port before somebody listens on it.
package freeport
