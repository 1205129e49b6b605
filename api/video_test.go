package api_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance/simulator"
)

func completed(t *testing.T, client *api.Client) *api.Video {
	t.Helper()
	job, err := client.AnimateMove(t.Context(), move)
	if err != nil {
		t.Fatal(err)
	}
	video, err := job.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return video
}

func TestSave(t *testing.T) {
	srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(0, 0)))
	video := completed(t, newClient(t, srv))
	target := filepath.Join(t.TempDir(), "out.mp4")
	for range 2 { // the second time, the file is replaced
		if err := video.Save(t.Context(), target); err != nil {
			t.Fatal(err)
		}
		checkDirectory(t, target, true)
	}
	info, err := os.Stat(target)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := os.Create(filepath.Join(t.TempDir(), "plain"))
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	if want, _ := plain.Stat(); info.Mode() != want.Mode() {
		t.Errorf("the file has the mode %v, others have %v", info.Mode(), want.Mode())
	}
}

// What was there before a failure is there afterwards.
func TestSaveKeepsFile(t *testing.T) {
	srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(0, 0)))
	video := completed(t, newClient(t, srv))
	target := filepath.Join(t.TempDir(), "out.mp4")
	if err := os.WriteFile(target, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	srv.Inject(simulator.Fault{On: simulator.Download, Effect: simulator.HTML(200)})
	err := video.Save(t.Context(), target)
	if !errors.Is(err, api.ErrNotVideo) || generationID(err) != video.GenerationID {
		t.Errorf("%v", err)
	}
	data, err := os.ReadFile(target)
	entries, _ := os.ReadDir(filepath.Dir(target))
	if err != nil || string(data) != "precious" || len(entries) != 1 {
		t.Errorf("%q %v %v", data, err, entries)
	}
}

// Each piece after the first asks for the rest only.
func TestDownloadResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := simulator.StartInMemory(t)
		video := completed(t, newClient(t, srv))
		srv.Inject(simulator.Fault{On: simulator.Download, Times: 2, Effect: simulator.Truncate()})
		var buffer bytes.Buffer
		n, err := video.Download(t.Context(), &buffer)
		want := sample(t, "854x480")
		if err != nil || n != int64(len(want)) || !bytes.Equal(buffer.Bytes(), want) {
			t.Errorf("%d of %d bytes: %v", n, len(want), err)
		}
		synctest.Wait() // until the last answer is in the ledger, too
		var notes []string
		for _, r := range srv.Ledger().Requests {
			if strings.HasPrefix(r.Path, "/files/") {
				notes = append(notes, r.Note)
			}
		}
		half := len(want) / 2
		wants := []string{"854x480", fmt.Sprintf("854x480 bytes=%d-", half), fmt.Sprintf("854x480 bytes=%d-", half+(len(want)-half)/2)}
		if fmt.Sprint(notes) != fmt.Sprint(wants) {
			t.Errorf("asked for %q, want %q", notes, wants)
		}
	})
}

func TestDownloadCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := simulator.StartInMemory(t)
		video := completed(t, newClient(t, srv))
		srv.Inject(simulator.Fault{On: simulator.Download, Effect: simulator.Slow(1000)})
		ctx, cancel := context.WithTimeout(t.Context(), 5050*time.Millisecond)
		defer cancel()
		target := filepath.Join(t.TempDir(), "out.mp4")
		start := time.Now()
		err := video.Save(ctx, target)
		if took := time.Since(start); took != 5050*time.Millisecond || !errors.Is(err, context.DeadlineExceeded) || outcome(err) != "not saved" {
			t.Errorf("after %v: %v", took, err)
		}
		checkDirectory(t, target, false)
	})
}

// A writer that takes its time doesn't make the network look slow.
func TestDownloadSlowWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := simulator.StartInMemory(t, simulator.WithTimeline(simulator.Complete(0, 0)))
		video := completed(t, newClient(t, srv))
		var pipe slowWriter
		if _, err := video.Download(t.Context(), &pipe); err != nil || pipe.writes < 2 {
			t.Errorf("%d writes: %v", pipe.writes, err)
		}
		if n := srv.Ledger().Downloads; n != 1 {
			t.Errorf("%d requests", n)
		}
	})
}

type slowWriter struct{ writes int }

func (w *slowWriter) Write(p []byte) (int, error) {
	w.writes++
	time.Sleep(40 * time.Second)
	return len(p), nil
}

// A server that always refuses is asked a few times only.
func TestDownloadGivesUp(t *testing.T) {
	const patient = -1 // as often as two minutes allow
	for _, test := range []struct {
		effect   simulator.Effect
		requests int
	}{{simulator.Status(503), 6}, {simulator.Status(404), patient}, {simulator.Status(425), patient}, {simulator.Empty(202), patient}, {simulator.Empty(200), patient}, {simulator.Status(400), 1}} {
		synctest.Test(t, func(t *testing.T) {
			srv := simulator.StartInMemory(t, simulator.WithTimeline(simulator.Complete(0, 0)))
			video := completed(t, newClient(t, srv))
			srv.Inject(simulator.Fault{On: simulator.Download, Effect: test.effect})
			start := time.Now()
			_, err := video.Download(t.Context(), &bytes.Buffer{})
			synctest.Wait()
			requests := 0
			for _, r := range srv.Ledger().Requests {
				if strings.HasPrefix(r.Path, "/files/") {
					requests++
				}
			}
			if requests >= 15 && requests <= 40 && time.Since(start) >= 2*time.Minute {
				requests = patient
			}
			if outcome(err) != "not saved" || requests != test.requests {
				t.Errorf("%s: %d requests, want %d: %v", test.effect.Name, requests, test.requests, err)
			}
		})
	}
}

// serve returns a video on a file server of its own, whose nth request is served by serve.
func serve(t *testing.T, serve func(w http.ResponseWriter, r *http.Request, n int)) *api.Video {
	n := 0
	srv := simulator.StartInMemory(t, simulator.WithFaults(simulator.Fault{On: simulator.Download, Effect: simulator.Effect{
		Name: "file server",
		Wrap: func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				n++
				serve(w, r, n)
			})
		},
	}}))
	srv.Script(simulator.Timeline{{Status: "completed", Set: map[string]any{
		"video": map[string]any{"url": srv.URL + "/files/video.mp4?signature=secret"},
	}}})
	return completed(t, newClient(t, srv))
}

// send sends bytes without a length.
func send(w http.ResponseWriter, data []byte) {
	w.Write(data)
	http.NewResponseController(w).Flush()
}

// abort does the same and breaks off.
func abort(w http.ResponseWriter, data []byte) {
	send(w, data)
	panic(http.ErrAbortHandler)
}

// A file server with a mind of its own, behind an API that says where it is.
func TestFileServers(t *testing.T) {
	data := sample(t, "480x480")
	half := len(data) / 2
	head := func(w http.ResponseWriter, from, to, total int) {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, total))
		w.Header().Set("Content-Length", strconv.Itoa(to-from))
		w.WriteHeader(http.StatusPartialContent)
	}
	// broken sends the first half of all of it.
	broken := func(w http.ResponseWriter) {
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		abort(w, data[:half])
	}
	// other sends the second half of another file.
	other := func(w http.ResponseWriter) {
		head(w, half, len(data), len(data))
		w.Write(make([]byte, len(data)-half))
	}
	type server = func(w http.ResponseWriter, r *http.Request, n int)
	// resumed breaks off after the first half.
	resumed := func(serve server) server {
		return func(w http.ResponseWriter, r *http.Request, n int) {
			if n == 1 {
				broken(w)
			}
			serve(w, r, n)
		}
	}
	tests := []struct {
		name string
		// serve answers the nth request.
		serve  server
		save   string // the outcome of saving to a file
		stream string // the outcome of writing to a stream, if it is another
	}{
		{"without a length", func(w http.ResponseWriter, _ *http.Request, _ int) {
			send(w, data[:half])
			w.Write(data[half:])
		}, "saved", ""},
		{"without a length, cut short", func(w http.ResponseWriter, _ *http.Request, _ int) {
			send(w, data[:half])
		}, "not saved: not a complete video", ""},
		{"without a length, broken off", func(w http.ResponseWriter, _ *http.Request, n int) {
			if n == 1 {
				abort(w, data[:half])
			}
			w.Write(data)
		}, "saved", ""},
		{"without a length, broken off at once", func(w http.ResponseWriter, _ *http.Request, n int) {
			if n == 1 {
				abort(w, data[:100])
			}
			w.Write(data)
		}, "saved", ""},
		{"without a length, cut short once", func(w http.ResponseWriter, _ *http.Request, n int) {
			if n == 1 {
				send(w, data[:half])
				return
			}
			w.Write(data)
		}, "saved", ""},
		{"without a length and ETag, cut short once", func(w http.ResponseWriter, _ *http.Request, n int) {
			w.Header().Del("ETag")
			if n == 1 {
				send(w, data[:half])
				return
			}
			w.Write(data)
		}, "saved", "not saved: not a complete video"},
		{"without a length and ETag, broken off", func(w http.ResponseWriter, _ *http.Request, n int) {
			w.Header().Del("ETag")
			if n == 1 {
				abort(w, data[:half])
			}
			w.Write(data)
		}, "saved", "not saved: not a complete video"},
		{"labelled gzip, but plain", func(w http.ResponseWriter, _ *http.Request, n int) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Header().Set("Content-Length", strconv.Itoa(len(data)))
			w.Write(data)
		}, "saved", ""},
		{"labelled gzip, but plain and broken off", func(w http.ResponseWriter, _ *http.Request, n int) {
			w.Header().Set("Content-Encoding", "gzip")
			if n == 1 {
				broken(w)
			}
			w.Write(data)
		}, "saved", ""},
		{"half of it, with a matching length", func(w http.ResponseWriter, _ *http.Request, _ int) {
			w.Header().Set("Content-Length", strconv.Itoa(half))
			w.Write(data[:half])
		}, "saved half", ""},
		{"a weak ETag that changes", func(w http.ResponseWriter, r *http.Request, n int) {
			w.Header().Set("ETag", `W/"`+strconv.Itoa(min(n, 2))+`"`)
			if n == 1 {
				broken(w)
			}
			if n == 2 {
				other(w)
				return
			}
			w.Write(data)
		}, "saved", "not saved"},
		{"a weak ETag that stays", func(w http.ResponseWriter, r *http.Request, n int) {
			w.Header().Set("ETag", `W/"1"`)
			if n == 1 {
				broken(w)
			}
			if r.Header.Get("Range") != "" {
				other(w)
				return
			}
			w.Write(data)
		}, "saved", "not saved"},
		{"a weak ETag with a Last-Modified", func(w http.ResponseWriter, r *http.Request, n int) {
			w.Header().Set("ETag", `W/"1"`)
			w.Header().Set("Last-Modified", "Thu, 01 Jan 1970 00:00:01 GMT")
			if n == 1 {
				broken(w)
			}
			head(w, half, len(data), len(data))
			w.Write(data[half:])
		}, "saved", ""},
		{"a Last-Modified that changes", func(w http.ResponseWriter, r *http.Request, n int) {
			w.Header().Del("ETag")
			w.Header().Set("Last-Modified", time.Unix(int64(min(n, 2)), 0).UTC().Format(http.TimeFormat))
			if n == 1 {
				broken(w)
			}
			if n == 2 {
				if got := r.Header.Get("If-Range"); got != "Thu, 01 Jan 1970 00:00:01 GMT" {
					t.Errorf("If-Range is %q", got)
				}
				other(w)
				return
			}
			w.Write(data)
		}, "saved", "not saved"},
		{"an ETag that is lost", resumed(func(w http.ResponseWriter, _ *http.Request, n int) {
			if n == 2 {
				w.Header().Del("ETag")
				other(w)
				return
			}
			w.Write(data)
		}), "saved", "not saved"},
		{"no validator", func(w http.ResponseWriter, r *http.Request, n int) {
			w.Header().Del("ETag")
			if n == 1 {
				broken(w)
			}
			if r.Header.Get("Range") != "" {
				other(w)
				return
			}
			w.Write(data)
		}, "saved", "not saved"},
		{"an ETag per node", func(w http.ResponseWriter, r *http.Request, n int) {
			w.Header().Set("ETag", strconv.Quote(strconv.Itoa(n)))
			w.Header().Set("Last-Modified", "Thu, 01 Jan 1970 00:00:01 GMT")
			from := 0
			if fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from); from > 0 {
				head(w, from, len(data), len(data))
				w.Write(data[from:])
				return
			}
			broken(w)
		}, "saved", "not saved"},
		{"ranges are a bad request", resumed(func(w http.ResponseWriter, r *http.Request, _ int) {
			if r.Header.Get("Range") != "" {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			w.Write(data)
		}), "saved", ""},
		{"ranges are forbidden", resumed(func(w http.ResponseWriter, r *http.Request, _ int) {
			if r.Header.Get("Range") != "" {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			w.Write(data)
		}), "saved", ""},
		{"a part with status code 200", resumed(func(w http.ResponseWriter, _ *http.Request, _ int) {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", half, len(data)-1, len(data)))
			w.Write(data[half:])
		}), "saved", ""},
		{"a part with status code 200 and no range", resumed(func(w http.ResponseWriter, r *http.Request, _ int) {
			if r.Header.Get("Range") != "" {
				w.Header().Set("Content-Length", strconv.Itoa(len(data)-half))
				w.Write(data[half:])
				return
			}
			w.Write(data)
		}), "saved", "not saved"},
		{"gzip although it wasn't asked for", func(w http.ResponseWriter, r *http.Request, n int) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			z.Write(data)
			z.Close()
		}, "saved", ""},
		{"available after a minute", func(w http.ResponseWriter, r *http.Request, n int) {
			if n <= 10 {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			w.Write(data)
		}, "saved", ""},
		{"a part with status code 200, no range and no length", func(w http.ResponseWriter, r *http.Request, n int) {
			w.Header().Set("ETag", `"one"`)
			if n == 1 {
				broken(w)
			}
			if r.Header.Get("Range") != "" {
				send(w, data[half:])
				return
			}
			w.Write(data)
		}, "saved", "not saved"},
		{"another file on resumption", func(w http.ResponseWriter, r *http.Request, n int) {
			if n == 1 {
				w.Header().Set("ETag", `"old"`)
				broken(w)
			}
			if got := r.Header.Get("If-Range"); n == 2 && got != `"old"` {
				t.Errorf("If-Range is %q", got)
			}
			w.Header().Set("ETag", `"new"`)
			w.Write(data)
		}, "saved", "not saved"},
		{"a wrong part", resumed(func(w http.ResponseWriter, _ *http.Request, n int) {
			if n == 2 {
				head(w, half+1, len(data), len(data))
				w.Write(data[half+1:])
				return
			}
			w.Write(data)
		}), "saved", "not saved"},
		{"a part that begins earlier", resumed(func(w http.ResponseWriter, _ *http.Request, _ int) {
			head(w, half-10, len(data), len(data))
			w.Write(data[half-10:])
		}), "saved", ""},
		{"a part of unknown whole", resumed(func(w http.ResponseWriter, _ *http.Request, _ int) {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/*", half, len(data)-1))
			w.WriteHeader(http.StatusPartialContent)
			w.Write(data[half:])
		}), "saved", ""},
		{"a part of what", resumed(func(w http.ResponseWriter, _ *http.Request, _ int) {
			w.Header().Set("Content-Range", "rubbish")
			w.WriteHeader(http.StatusPartialContent)
		}), "not saved", ""},
		{"no more of it", resumed(func(w http.ResponseWriter, _ *http.Request, n int) {
			if n == 2 {
				w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
				return
			}
			w.Write(data)
		}), "saved", "not saved"},
		{"a part that is longer than the whole", resumed(func(w http.ResponseWriter, _ *http.Request, _ int) {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", half, len(data)-1, len(data)))
			w.WriteHeader(http.StatusPartialContent)
			w.Write(data[half:])
			w.Write(make([]byte, 100))
		}), "not saved", ""},
		{"expiring after each piece", func(w http.ResponseWriter, r *http.Request, n int) {
			if n%2 == 0 {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			from := 0
			fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
			head(w, from, len(data), len(data))
			send(w, data[from:min(len(data), from+len(data)/8)])
			if from+len(data)/8 < len(data) {
				panic(http.ErrAbortHandler)
			}
		}, "saved", ""},
		{"another file each time", func(w http.ResponseWriter, _ *http.Request, n int) {
			if n > 20 {
				t.Error("it goes on for ever")
				w.Write(data)
				return
			}
			w.Header().Set("ETag", strconv.Quote(strconv.Itoa(n)))
			broken(w)
		}, "not saved", ""},
		{"broken off behind the last byte", func(w http.ResponseWriter, _ *http.Request, n int) {
			if n == 1 {
				abort(w, data)
			}
			w.Header().Set("Content-Range", fmt.Sprintf("bytes */%d", len(data)))
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
		}, "saved", ""},
		{"compressed for those who like it", func(w http.ResponseWriter, r *http.Request, _ int) {
			if got := r.Header.Get("Accept-Encoding"); got != "identity" {
				t.Errorf("it asks for %q", got)
			}
			w.Write(data)
		}, "saved", ""},
		{"nothing", func(http.ResponseWriter, *http.Request, int) {}, "not saved", ""},
		{"an image", func(w http.ResponseWriter, _ *http.Request, _ int) {
			w.Header().Set("Content-Type", "video/mp4")
			w.Write([]byte("\x89PNG\r\n\x1a\n"))
		}, "not saved: not a complete video", ""},
		{"redirected", func(w http.ResponseWriter, r *http.Request, n int) {
			if n <= 5 {
				http.Redirect(w, r, fmt.Sprint("/files/", n), http.StatusFound)
				return
			}
			if r.Referer() != "" {
				t.Errorf("the Referer shows %s", r.Referer())
			}
			w.Write(data)
		}, "saved", ""},
		{"redirected in circles", func(w http.ResponseWriter, r *http.Request, n int) {
			http.Redirect(w, r, fmt.Sprint("/files/", n), http.StatusFound)
		}, "not saved", ""},
	}
	for _, test := range tests {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/stream=%t", test.name, stream), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					video := serve(t, func(w http.ResponseWriter, r *http.Request, n int) {
						w.Header().Set("ETag", `"one"`)
						test.serve(w, r, n)
					})
					want := test.save
					var got []byte
					var err error
					if stream {
						if test.stream != "" {
							want = test.stream
						}
						var buffer bytes.Buffer
						_, err = video.Download(t.Context(), &buffer)
						got = buffer.Bytes()
					} else {
						target := filepath.Join(t.TempDir(), "out.mp4")
						err = video.Save(t.Context(), target)
						got, _ = os.ReadFile(target)
					}
					if want == "saved half" && err == nil && bytes.Equal(got, data[:half]) {
						return
					}
					if err == nil && !bytes.Equal(got, data) {
						t.Errorf("got %d bytes of %d", len(got), len(data))
					}
					if got := outcome(err); got != want {
						t.Errorf("%q, want %q: %v", got, want, err)
					}
					if err != nil && strings.Contains(err.Error(), "secret") {
						t.Errorf("the error shows the signature: %v", err)
					}
				})
			})
		}
	}
}

// Over plain HTTP, videos come only from an API that is on this machine itself; from elsewhere only over HTTPS.
func TestFilesOverHTTPS(t *testing.T) {
	tests := []struct{ name, base, url, want string }{
		{"plain", "https://api.example.com", "http://cdn.example.com/video.mp4", "leads to http://cdn.example.com, not to https"},
		{"redirected to plain", "https://api.example.com", "https://cdn.example.com/redirect?to=http://cdn.example.com", "leads to http://cdn.example.com, not to https"},
		{"plain, allowed", "https://api.example.com", "http://cdn.example.com/video.mp4", ""},
		{"no HTTP at all", "http://127.0.0.1:1", "ftp://cdn.example.com/video.mp4", "the video's URL isn't valid"},
		{"redirected to no HTTP", "http://127.0.0.1:1", "http://127.0.0.1:2/redirect?to=ftp://cdn.example.com", "leads to ftp://cdn.example.com, not to https"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				opts := []api.Option{api.WithBaseURL(test.base)}
				if test.want == "" {
					opts = append(opts, api.WithInsecureResults())
				}
				client := answering(t, func(w http.ResponseWriter, r *http.Request) {
					switch {
					case r.URL.Path == "/redirect":
						http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusFound)
					case r.URL.Path == "/v2/video/generations":
						fmt.Fprintf(w, `{"id":"x","status":"completed","video":{"url":%q}}`, test.url)
					case test.want == "":
						w.Write(sample(t, "480x480"))
					default:
						t.Errorf("a request went to %s", r.URL)
					}
				}, opts...)
				video, err := client.Job("x").Wait(t.Context())
				if err == nil {
					_, err = video.Download(t.Context(), &bytes.Buffer{})
				}
				if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

// What is right for each sample, with its length known and unknown.
func TestSamples(t *testing.T) {
	stream := bytes.Repeat(append([]byte("G"), make([]byte, 203)...), 40) // packets with error correction
	made := map[string][]byte{"204.ts": stream, "204-cut.ts": stream[:len(stream)-16]}
	for name, want := range map[string][2]string{
		"trail-100r.mp4":     {"saved", "saved"},
		"styp.mp4":           {"saved", "saved"},
		"nf-mdat-mjpeg.mov":  {"saved", "saved"},
		"A.MTS":              {"saved", "saved"},
		"204.ts":             {"saved", "saved"},
		"204-cut.ts":         {"saved", "not saved: not a complete video"},
		"cut-frag-head4.mp4": {"saved", "not saved: not a complete video"},
		"img-miaf-avif.heic": {"not saved: not a complete video", "not saved: not a complete video"},
	} {
		data := made[name]
		if data == nil {
			var err error
			if data, err = os.ReadFile("../spec/media/testdata/" + name); err != nil {
				t.Fatal(err)
			}
		}
		for i, known := range []bool{true, false} {
			synctest.Test(t, func(t *testing.T) {
				_, err := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
					if known {
						w.Header().Set("Content-Length", strconv.Itoa(len(data)))
					}
					send(w, data[:100])
					w.Write(data[100:])
				}).Download(t.Context(), &bytes.Buffer{})
				if got := outcome(err); got != want[i] {
					t.Errorf("%s, length known %t: %s, want %s: %v", name, known, got, want[i], err)
				}
			})
		}
	}
}

// A video may have a limit, whether its length is known or not.
func TestMaxDownload(t *testing.T) {
	srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(0, 0)))
	limit := int64(len(sample(t, "854x480")))
	var buffer bytes.Buffer
	if _, err := completed(t, newClient(t, srv, api.WithMaxDownload(limit))).Download(t.Context(), &buffer); err != nil {
		t.Error(err)
	}
	_, err := completed(t, newClient(t, srv, api.WithMaxDownload(limit-1))).Download(t.Context(), &buffer)
	if outcome(err) != "not saved" || !strings.Contains(err.Error(), "WithMaxDownload") {
		t.Errorf("%v", err)
	}
	synctest.Test(t, func(t *testing.T) { // without a length
		client := respond(t, func(r *http.Request) *http.Response {
			if r.URL.Host != "cdn.example.com" {
				return response(http.StatusOK, `{"id":"x","status":"completed","video":{"url":"https://cdn.example.com/video.mp4"}}`)
			}
			return response(http.StatusOK, string(sample(t, "854x480")))
		}, api.WithMaxDownload(limit-1))
		n, err := completed(t, client).Download(t.Context(), io.Discard)
		if n >= limit || outcome(err) != "not saved" || !strings.Contains(err.Error(), "WithMaxDownload") {
			t.Errorf("%d bytes: %v", n, err)
		}
	})
}

// A writer that fails, such as a full disk, ends the download.
func TestWriterFails(t *testing.T) {
	srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(0, 0)))
	video := completed(t, newClient(t, srv))
	for want, w := range map[error]writerFunc{
		errFull:          func([]byte) (int, error) { return 0, errFull },
		io.ErrShortWrite: func(p []byte) (int, error) { return len(p) - 1, nil },
	} {
		if _, err := video.Download(t.Context(), w); !errors.Is(err, want) || outcome(err) != "not saved" {
			t.Errorf("%v", err)
		}
	}
	if n := srv.Ledger().Downloads; n != 2 {
		t.Errorf("%d downloads", n)
	}
}

var errFull = errors.New("no space left on device")

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// With KeepExisting no file is lost, also not one that appears during the download.
func TestKeepExisting(t *testing.T) {
	srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(0, 0)))
	video := completed(t, newClient(t, srv))
	target := filepath.Join(t.TempDir(), "new", "out.mp4")
	write := func(int64, int64) {
		if err := os.WriteFile(target, []byte("precious"), 0o600); err != nil {
			t.Error(err)
		}
	}
	err := video.Save(t.Context(), target, api.KeepExisting(), api.OnDownload(write))
	if download := (*api.DownloadError)(nil); !errors.As(err, &download) || !errors.Is(err, fs.ErrExist) {
		t.Errorf("a file that appears: %v", err)
	}
	err = video.Save(t.Context(), target, api.KeepExisting())
	if input := (*api.InputError)(nil); !errors.As(err, &input) || !errors.Is(err, fs.ErrExist) {
		t.Errorf("a file that exists: %v", err)
	}
	if data, err := os.ReadFile(target); string(data) != "precious" {
		t.Errorf("%q %v", data, err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(target)); len(entries) != 1 {
		t.Errorf("%v", entries)
	}
}

func TestSaveIn(t *testing.T) {
	srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(0, 0)))
	video := completed(t, newClient(t, srv))
	directory := filepath.Join(t.TempDir(), "videos")
	path, err := video.SaveIn(t.Context(), directory)
	if err != nil || filepath.Dir(path) != directory {
		t.Fatalf("%s: %v", path, err)
	}
	checkDirectory(t, path, true)
}

// Ids that differ have names that differ, on every file system.
func TestFileName(t *testing.T) {
	const uuid = "b5592d70-dd31-4e5a-bc5c-5063660c001b"
	seen := map[string]string{}
	for _, id := range []string{
		uuid + ":alibaba/wan2.2-14b-animate-move", uuid + "_alibaba_wan2.2-14b-animate-move", uuid + ":alibaba/wan2.2-14b_animate-move",
		strings.ToUpper(uuid) + ":alibaba/wan2.2-14b-animate-move", uuid, "a:b", "a/b", "a_b", "A_b", "a b", "..", ".", "", "-x", "x", "V1StGXR8Z5jdHi6BmyT8k",
		"v1stgxr8z5jdhi6bmyt8k", "日本", strings.Repeat("x", 300), strings.Repeat("x", 301), "con/../../etc",
	} {
		name := api.FileName(id)
		if other, ok := seen[strings.ToLower(name)]; ok {
			t.Errorf("%q and %q both have the name %s", id, other, name)
		}
		seen[strings.ToLower(name)] = id
		if name == "" || len(name) > 200 || strings.ContainsAny(name, `/\:`) || strings.Trim(name, ".") == "" || name[0] == '-' {
			t.Errorf("%q has the name %q", id, name)
		}
	}
	if got := api.FileName(uuid + ":alibaba/wan2.2-14b-animate-move"); got != uuid+"_alibaba_wan2.2-14b-animate-move" {
		t.Errorf("%s", got)
	}
}

// A download that makes no progress for 30 seconds is resumed.
func TestStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := simulator.StartInMemory(t)
		video := completed(t, newClient(t, srv))
		srv.Inject(simulator.Fault{On: simulator.Download, Times: 1, Effect: simulator.StallBody()})
		start := time.Now()
		if _, err := video.Download(t.Context(), &bytes.Buffer{}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took < 30*time.Second || took > 32*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// A replica of the API may not know the generation yet when a fresh URL is asked for.
func TestLaggingRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := simulator.StartInMemory(t)
		video := completed(t, newClient(t, srv))
		srv.Inject(simulator.Fault{On: simulator.Download, Times: 2, Effect: simulator.Status(403)})
		srv.Inject(simulator.Fault{On: simulator.Poll, Times: 2, Effect: simulator.Status(404)})
		if _, err := video.Download(t.Context(), &bytes.Buffer{}); err != nil {
			t.Error(err)
		}
	})
}

// The URL of a video may be signed.
func TestVideoText(t *testing.T) {
	video := api.Video{GenerationID: "a\x1b", URL: "https://cdn.example.com/video.mp4?signature=secret"}
	const want = `video of generation a\x1b at https://cdn.example.com/video.mp4`
	for _, got := range []string{fmt.Sprintf("%v", video), fmt.Sprintf("%+v", &video), video.LogValue().String()} {
		if got != want {
			t.Errorf("got %s", got)
		}
	}
}

// That there is nothing behind what was received doesn't make a file whole whose length was said to be another.
func TestNothingMore(t *testing.T) {
	packets := bytes.Repeat(append([]byte("G"), make([]byte, 187)...), 40)
	half := len(packets) / 2 // a whole number of packets
	synctest.Test(t, func(t *testing.T) {
		var buffer bytes.Buffer
		_, err := serve(t, func(w http.ResponseWriter, _ *http.Request, n int) {
			if n == 1 {
				w.Header().Set("Content-Length", strconv.Itoa(len(packets)))
				abort(w, packets[:half])
			}
			w.Header().Set("Content-Range", fmt.Sprintf("bytes */%d", half))
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
		}).Download(t.Context(), &buffer)
		if outcome(err) != "not saved" {
			t.Errorf("%d bytes: %v", buffer.Len(), err)
		}
	})
}
