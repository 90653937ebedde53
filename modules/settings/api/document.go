package api

import (
	"encoding/json"
	"time"

	"github.com/insulahq/insula/modules/settings"
)

// Settings is how the settings of a tenant are shown.
type Settings struct {
	Settings []Setting        `json:"settings" doc:"All settings there are, by name."`
	Unknown  []UnknownSetting `json:"unknown" doc:"What is set and has no effect."`
}

// Setting is one setting as it is in force.
type Setting struct {
	Name      string     `json:"name" example:"users.session_idle"`
	Summary   string     `json:"summary" doc:"What it means, for people."`
	Type      string     `json:"type" enum:"boolean,integer,duration,word,list" doc:"How values are written; a duration as in 36h or 1h30m."`
	Unit      string     `json:"unit,omitempty" doc:"What an integer counts." example:"bytes"`
	Allowed   string     `json:"allowed" doc:"Which values are allowed, for people."`
	Value     any        `json:"value" doc:"The value in force."`
	Default   any        `json:"default" doc:"The value in force where nothing is set."`
	ChangedBy string     `json:"changed_by" enum:"tenant,operator" doc:"Who can change it; the operator can change every setting."`
	ChangedAt *time.Time `json:"changed_at,omitempty" doc:"When it was set; absent while the default is in force."`
}

// UnknownSetting is something set that has no effect.
type UnknownSetting struct {
	Name      string    `json:"name"`
	Value     any       `json:"value"`
	Reason    string    `json:"reason" doc:"Why it has no effect, for people."`
	ChangedAt time.Time `json:"changed_at"`
}

// SettingsChange is the body that changes settings.
type SettingsChange struct {
	Values map[string]json.RawMessage `json:"values" doc:"New values by the name of the setting."`
}

func show(d settings.Document) Settings {
	out := Settings{Settings: make([]Setting, len(d.Settings)), Unknown: make([]UnknownSetting, len(d.Unknown))}
	for i, e := range d.Settings {
		out.Settings[i] = Setting{
			Name: e.Name, Summary: e.Doc, Type: string(e.Kind), Unit: e.Unit, Allowed: e.Allowed(),
			Value: e.Value, Default: e.Default, ChangedBy: string(e.Who), ChangedAt: e.ChangedAt,
		}
	}
	for i, u := range d.Unknown {
		out.Unknown[i] = UnknownSetting{Name: u.Name, Value: u.Value, Reason: u.Reason, ChangedAt: u.ChangedAt}
	}
	return out
}
