package api

import (
	"net/http"
	"time"
)

// Logging a browser in and out.

func logIn(c *call) (answer, error) {
	var body Login
	if err := c.read(&body); err != nil {
		return answer{}, err
	}
	if (body.Code == nil) == (body.Token == nil) {
		p := invalid.errorf("give a code or a token")
		p.faults = []Fault{{Pointer: "", Message: "must have code or token, and not both"}}
		return answer{}, p
	}
	as := nobody
	if body.Code != nil && c.api.sessions.useCode(*body.Code) {
		as = owner
	}
	if body.Token != nil {
		var err error
		if as, err = c.api.tokens.role(*body.Token); err != nil {
			return answer{}, err
		}
	}
	if as == nobody {
		return answer{}, c.api.wrong(c.Request, "the code or token is wrong; a code works once, for ten minutes")
	}
	value, until, err := c.api.sessions.sign(as)
	if err != nil {
		return answer{}, err
	}
	c.setCookie(value, until, int(sessionLife.Seconds()))
	return empty()
}

func logOut(c *call) (answer, error) {
	c.setCookie("", time.Unix(1, 0), -1)
	return empty()
}

func (c *call) setCookie(value string, until time.Time, age int) {
	http.SetCookie(c.w, &http.Cookie{
		Name: c.api.cookieName(), Value: value, Path: "/", Expires: until, MaxAge: age,
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: c.api.scheme() == "https",
	})
}

func makeCode(c *call) (answer, error) {
	code, until, err := c.api.sessions.makeCode()
	if err != nil {
		return answer{}, err
	}
	out := Code{Code: code, ExpiresAt: until.UTC().Truncate(time.Microsecond)}
	if at := c.api.origin(c.Request); at != "" {
		at += "/#login=" + code
		out.URL = &at
	}
	return answer{status: http.StatusCreated, body: out}, nil
}
