package httpmw

// ClientIP lets the external tests ask for a client's address without a request through the middleware.
var ClientIP = clientIP
