package auth

import "fmt"

// Rule is the step of a login that refused it.
type Rule string

// The rules, in the order in which a login meets them.
const (
	RuleCredentials Rule = "credentials"    // the authenticator did not recognise the person
	RuleNormalize   Rule = "normalize"      // the name could not be normalised (pam_normalize_username)
	RuleValidate    Rule = "validate"       // the name may not exist in this hub
	RuleBlocked     Rule = "blocked"        // blocked_users
	RuleAllow       Rule = "allow"          // neither allow_all nor any allowed_* lets the name in
	RulePostAuth    Rule = "post_auth_hook" // the hook returned nothing
)

// Refusal says which rule refused a login and which trait decides. It is for the hub's log and for `why-login`; of its
// fields only Public and Status may be shown to the person.
//
// It is also an error, so that an Authenticator can refuse with a reason by returning it.
type Refusal struct {
	Rule   Rule
	Trait  string // the configuration key that decides, like "Authenticator.allowed_users"; "" when none does
	Name   string // the name that was judged, shortened by ShortName
	Reason string // what was found, lower case, without secrets
	Hint   string // what to change so that this login passes; may be ""
	Public string // a text that the authenticator wants the person to read instead of the common one; may be ""
	Status int    // the HTTP status that the authenticator wants with it; 0 is 403
}

// Error tells the whole story in one line.
func (r *Refusal) Error() string {
	text := fmt.Sprintf("login of %q refused by rule %s: %s", r.Name, r.Rule, r.Reason)
	if r.Trait != "" {
		text += fmt.Sprintf(" (decided by %s)", r.Trait)
	}
	if r.Hint != "" {
		text += "; " + r.Hint
	}
	return text
}
