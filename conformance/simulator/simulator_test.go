package simulator_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimlvideo/wan-go/conformance/simulator"
)

const move = `{"model":"alibaba/wan2.2-14b-animate-move","video_url":"https://example.com/v.mp4","image_url":"https://example.com/i.png"}`

func TestSmoke(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulator.StartInMemory(t, simulator.WithTimeline(simulator.Complete(5*time.Minute, 5*time.Minute)))
		req, _ := http.NewRequest("POST", s.URL+"/v2/video/generations", strings.NewReader(move))
		req.Header.Set("Authorization", "Bearer "+s.Key)
		req.Header.Set("Content-Type", "application/json")
		res, err := s.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(res.Body)
		fmt.Println(res.Status, string(b))
		time.Sleep(10 * time.Minute)
		fmt.Printf("%+v\n", s.Ledger())
	})
	_ = httptest.NewServer
}
