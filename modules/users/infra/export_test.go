package infra

// Decoy is what an unknown user's password is compared with.
func Decoy(p *Passwords) []byte { return p.decoy }
