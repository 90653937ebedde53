package tenants

import (
	"net/url"

	"github.com/insulahq/insula/platform/setting"
)

// WebOrigins are the pages from elsewhere that may read a tenant's answers in
// a browser (CORS).
var WebOrigins = setting.OfList("tenants.web_origins",
	"Web origins whose pages may call the API for this tenant from a browser, such as https://app.example.com. Empty: none.",
	20, 200, setting.From("INSULA_CORS_ORIGINS"), setting.Entries(setting.Rule{
		Allows: isOrigin, Words: "must have entries such as https://app.example.com, without a path",
	}))

// isOrigin reports whether text is an origin as browsers send it.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && text == u.Scheme+"://"+u.Host
}
