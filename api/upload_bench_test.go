//go:build unix

package api_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/gen/animatemove"
	"github.com/aimlvideo/wan-go/gen/generation"
)

// BenchmarkUpload compares the submission of a large local file with encoding it in memory first, and with the least
// that has to be done: base64 to a socket. Each runs in a process of its own, whose peak memory and CPU time the
// operating system tells.
func BenchmarkUpload(b *testing.B) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, `{"id":"x","status":"queued"}`)
	}))
	defer srv.Close()
	sink, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer sink.Close()
	go func() {
		for {
			conn, err := sink.Accept()
			if err != nil {
				return
			}
			io.Copy(io.Discard, conn)
			conn.Close()
		}
	}()
	for _, mib := range []int64{1, 64, 256, 1024} {
		path := filepath.Join(b.TempDir(), "large.mp4")
		f, err := os.Create(path)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.CopyN(f, newMovie(int(mib)<<20), mib<<20); err != nil {
			b.Fatal(err)
		}
		f.Close()
		for _, how := range []struct{ name, address string }{
			{"facade", srv.URL}, {"marshal-it-all", srv.URL}, {"base64-to-a-socket", sink.Addr().String()},
		} {
			b.Run(fmt.Sprintf("%dMiB/%s", mib, how.name), func(b *testing.B) {
				var cpu time.Duration
				var peak int64
				for b.Loop() {
					child := exec.Command(os.Args[0], "-test.run=^$")
					child.Env = append(os.Environ(), "WAN_UPLOAD="+how.name, "WAN_FILE="+path, "WAN_ADDRESS="+how.address)
					if output, err := child.CombinedOutput(); err != nil {
						b.Fatalf("%v: %s", err, output)
					}
					cpu += child.ProcessState.UserTime() + child.ProcessState.SystemTime()
					peak = max(peak, maxRSS(child.ProcessState))
				}
				b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
				b.ReportMetric(cpu.Seconds()*1000/float64(b.N), "cpu-ms/op")
			})
		}
		os.Remove(path)
	}
}

func maxRSS(state *os.ProcessState) int64 {
	rss := int64(state.SysUsage().(*syscall.Rusage).Maxrss) //nolint:unconvert // 32 bits on some platforms
	if runtime.GOOS != "darwin" {                           // the others count in KiB
		rss *= 1 << 10
	}
	return int64(rss) //nolint:unconvert // 32 bits elsewhere
}

// TestMain is the child of BenchmarkUpload where that asks for it.
func TestMain(m *testing.M) {
	how := os.Getenv("WAN_UPLOAD")
	if how == "" {
		os.Exit(m.Run())
	}
	if err := upload(how, os.Getenv("WAN_FILE"), os.Getenv("WAN_ADDRESS")); err != nil {
		log.Fatal(err)
	}
}

func upload(how, path, address string) error {
	request := animatemove.Request{Model: animatemove.ModelID, VideoURL: api.File(path), ImageURL: api.URL("https://example.com/hero.png")}
	switch how {
	case "facade":
		client, err := api.New(api.WithAPIKey("key"), api.WithBaseURL(address), api.WithMaxMedia(0))
		if err != nil {
			return err
		}
		_, err = client.AnimateMove(context.Background(), request)
		return err
	case "marshal-it-all":
		client, err := generation.NewClientWithResponses(address)
		if err != nil {
			return err
		}
		_, err = client.SubmitGenerationWithResponse(context.Background(), nil, request)
		return err
	default:
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return err
		}
		defer conn.Close()
		buffered := bufio.NewWriterSize(conn, 32<<10) // or the encoder writes to the socket by the kilobyte
		encoder := base64.NewEncoder(base64.StdEncoding, buffered)
		if _, err := io.Copy(encoder, f); err != nil {
			return err
		}
		return errors.Join(encoder.Close(), buffered.Flush())
	}
}
