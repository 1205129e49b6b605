package batch

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/aimlvideo/wan-go/spec/redact"
	"github.com/aimlvideo/wan-go/spec/wire"
)

// A LogRow is a submission in the account's logs.
type LogRow struct {
	ClientRequestID string    `json:"client_request_id"`
	InferenceID     string    `json:"inference_id"`
	Model           string    `json:"model"`
	Status          string    `json:"status"`
	Created         time.Time `json:"created"`
}

// generationIDs are the ids under which a poll may know the generation: the docs show both forms.
func (r LogRow) generationIDs() []string {
	return []string{r.InferenceID, r.InferenceID + ":" + r.Model}
}

// A LogReader returns the rows of the account's logs since a time, the newest first.
type LogReader func(ctx context.Context, since time.Time) iter.Seq2[LogRow, error]

const (
	logPage   = 100
	logWindow = 92 * 24 * time.Hour
	// logPause keeps a search below the 200 requests a minute that the API allows.
	logPause = 350 * time.Millisecond
)

// NewLogReader returns a LogReader for the API at a base URL.
func NewLogReader(client *http.Client, baseURL, key string) LogReader {
	secret := redact.New(key)
	return func(ctx context.Context, since time.Time) iter.Seq2[LogRow, error] {
		return func(yield func(LogRow, error) bool) {
			end := time.Now()
			if oldest := end.Add(-logWindow + time.Hour); since.Before(oldest) {
				since = oldest
			}
			for offset := 0; ; offset += logPage {
				rows, more, err := readLogs(ctx, client, baseURL, key, url.Values{
					"start": {since.UTC().Format(time.RFC3339)}, "end": {end.UTC().Add(time.Second).Format(time.RFC3339)},
					"limit": {strconv.Itoa(logPage)}, "offset": {strconv.Itoa(offset)},
				})
				if err != nil {
					yield(LogRow{}, secret.Error(err))
					return
				}
				for _, row := range rows {
					if row.ClientRequestID != "" && row.InferenceID != "" && !yield(row, nil) {
						return
					}
				}
				if !more || wire.Sleep(ctx, logPause) != nil {
					return
				}
			}
		}
	}
}

func readLogs(ctx context.Context, client *http.Client, baseURL, key string, query url.Values) (rows []LogRow, more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, baseURL+"/v2/logs?"+query.Encode(), nil)
	if err != nil {
		return nil, false, err
	}
	request.Header.Set("Authorization", "Bearer "+key)
	response, err := client.Do(request)
	if err != nil {
		return nil, false, err
	}
	defer response.Body.Close()
	const most = 8 << 20
	body, err := io.ReadAll(io.LimitReader(response.Body, most))
	if err != nil {
		return nil, false, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, false, fmt.Errorf("the logs returned %d: %s", response.StatusCode, redact.Line(wire.DecodeError(response.Header, body).Message))
	}
	var page struct {
		Data       []LogRow `json:"data"`
		Pagination struct {
			HasMore bool `json:"has_more"`
		} `json:"pagination"`
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return nil, false, fmt.Errorf("the logs returned unusable JSON: %w", err)
	}
	return page.Data, page.Pagination.HasMore && len(page.Data) > 0, nil
}
