// Package openapi has the parts of an OpenAPI 3.1 document that the hub's own description needs, and makes JSON Schemas
// from Go types, so that the description of a model is written where the model is.
//
// The document is made of plain structs that encoding/json writes; nothing here reads or validates a document: tests do that
// with a library.
//
// # Schemas from types
//
// [Schemas.Of] looks at struct tags:
//
//	json       name of the property; with omitempty it may be absent, else it is required
//	doc        description
//	enum       permitted strings, separated by commas
//	format     e.g. uri
//	min, max   bounds of a number; lengths of a string or a list
//	example    an example, as text
//
// A pointer may be null. A named struct becomes a component. Structs are closed (additionalProperties is false) unless they have
// a field "_ Open".
//
// No compatibility promise.
package openapi
