// Package idp is a fake identity provider.
package idp
