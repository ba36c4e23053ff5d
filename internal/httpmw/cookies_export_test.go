package httpmw

// AllCookies lets the external tests compare the header parser with Tornado's.
var AllCookies = allCookies

// CookieLine writes a Set-Cookie line with nothing but a path.
func CookieLine(name, value string) string {
	return setCookie{name: name, value: value, path: "/"}.String()
}
