package suite

import (
	"encoding/json"
	"strings"
)

// An answer is what the suite looks at in the body of an answer, as far as it is of the type that it should be.
type answer struct {
	ID      string
	Status  string
	URL     string         // of the video
	Video   any            // null and nothing are nil
	Error   any            // null and nothing are nil
	Usage   map[string]any // what was charged
	Message string         // of an error
	Code    any            // the statusCode of an error
	Path    string         // of an error
}

// answer decodes the body. Of what can't be decoded nothing is known; that it can't is a finding already.
func (x *trip) answer() answer {
	var members map[string]any
	if json.Unmarshal(x.body, &members) != nil {
		return answer{}
	}
	var a answer
	a.ID, _ = members["id"].(string)
	a.Status, _ = members["status"].(string)
	a.Video, a.Error = members["video"], members["error"]
	if video, ok := a.Video.(map[string]any); ok {
		a.URL, _ = video["url"].(string)
	}
	if meta, ok := members["meta"].(map[string]any); ok {
		a.Usage, _ = meta["usage"].(map[string]any)
	}
	a.Message = messageText(members["message"])
	a.Code = members["statusCode"]
	a.Path, _ = members["path"].(string)
	return a
}

// messageText is the message of an error, which some servers send as a list.
func messageText(message any) string {
	switch m := message.(type) {
	case string:
		return m
	case []any:
		var texts []string
		for _, one := range m {
			texts = append(texts, messageText(one))
		}
		return strings.Join(texts, "; ")
	}
	return ""
}

// final reports whether the generation has come to its end.
func (a answer) final() bool { return a.Status == "completed" || a.Status == "error" }
