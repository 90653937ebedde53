package pg

import "testing"

func TestOldServersAreRefused(t *testing.T) {
	for version, served := range map[string]bool{
		"15.0": true, "15.18 (Debian 15.18-0+deb12u1)": true, "18beta1": true, "14.9": false, "9.6.24": false, "": false, "new": false,
	} {
		if err := newEnough(version); (err == nil) != served {
			t.Errorf("%q: %v", version, err)
		}
	}
}
