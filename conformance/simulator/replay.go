package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aimlvideo/wan-go/conformance"
)

func replay(dir fs.FS) ([]Timeline, error) {
	names, err := fs.Glob(dir, "*.json")
	if err != nil {
		return nil, err
	}
	var order []string // ids
	responses := map[string][]conformance.Recording{}
	for _, name := range names { // by time
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, err
		}
		var recording conformance.Recording
		if err := json.Unmarshal(text, &recording); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		var body struct{ ID string }
		if recording.Status/100 != 2 || json.Unmarshal(recording.Body, &body) != nil || body.ID == "" {
			continue // neither a generation nor its state
		}
		id := body.ID
		if recording.Method == http.MethodPost {
			order = append(order, id)
		} else if !slices.Contains(order, id) {
			continue // submitted before the recording began
		}
		responses[id] = append(responses[id], recording)
	}
	if len(order) == 0 {
		return nil, errors.New("no submission was recorded")
	}
	var timelines []Timeline
	for _, id := range order {
		timelines = append(timelines, timelineFrom(responses[id]))
	}
	return timelines, nil
}

// timelineFrom returns a step for each status that was seen. A step lasts until the next one was first seen.
func timelineFrom(recordings []conformance.Recording) (t Timeline) {
	var began time.Time
	for _, recording := range recordings {
		var members map[string]any
		_ = json.Unmarshal(recording.Body, &members)
		status, _ := members["status"].(string)
		if last := len(t) - 1; last >= 0 {
			if t[last].Status == status {
				continue
			}
			t[last].For = recording.Time.Sub(began)
		}
		delete(members, "id")
		delete(members, "status")
		if video, ok := members["video"].(map[string]any); ok {
			if url, _ := video["url"].(string); strings.HasPrefix(url, "http") {
				delete(members, "video")
			}
		}
		t, began = append(t, Step{Status: status, Set: members}), recording.Time
	}
	return t
}
