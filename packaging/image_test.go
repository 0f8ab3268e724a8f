package packaging

import (
	"archive/tar"
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twinlock/twinlock/browser/kit"
	"github.com/twinlock/twinlock/internal/apptest/child"
)

// image builds the container image of a tree.
func image(t *testing.T, tree string, env ...string) []byte {
	t.Helper()
	file := strings.TrimSpace(run(t, tree, env, filepath.Join(tree, "packaging", "image"), t.TempDir()))
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// file is what an archive holds, and how.
type file struct {
	*tar.Header
	content []byte
}

func filesOf(t *testing.T, archive []byte) map[string]file {
	t.Helper()
	all, from := map[string]file{}, tar.NewReader(bytes.NewReader(archive))
	for {
		header, err := from.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(from)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(strings.TrimPrefix(header.Name, "./"), "/")] = file{header, content}
	}
}

// described is what one part of an image says of another.
type described struct {
	MediaType, Digest string
	Size              int
	Annotations       map[string]string
}

// blob gives what is described, and holds it to be that.
func blob(t *testing.T, in map[string]file, d described) []byte {
	t.Helper()
	content := in["blobs/sha256/"+strings.TrimPrefix(d.Digest, "sha256:")].content
	sum := sha256.Sum256(content)
	if "sha256:"+hex.EncodeToString(sum[:]) != d.Digest || len(content) != d.Size {
		t.Fatalf("%s of %d bytes is not %s of %d", hex.EncodeToString(sum[:]), len(content), d.Digest, d.Size)
	}
	return content
}

func decode(t *testing.T, raw []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
}

// imageConfig is what an engine reads (OCI Image Configuration).
type imageConfig struct {
	Config struct {
		User            string
		Env             []string
		Entrypoint, Cmd []string
		Volumes         map[string]struct{}
	}
	RootFS struct {
		DiffIDs []string `json:"diff_ids"`
	}
}

// parts reads an image by the layout of OCI, and holds Docker's to be the same.
func parts(t *testing.T, raw []byte) (config imageConfig, layer []byte) {
	t.Helper()
	in := filesOf(t, raw)
	var index struct{ Manifests []described }
	decode(t, in["index.json"].content, &index)
	var manifest struct {
		Config described
		Layers []described
	}
	decode(t, blob(t, in, index.Manifests[0]), &manifest)
	decode(t, blob(t, in, manifest.Config), &config)
	layer = blob(t, in, manifest.Layers[0])
	if config.RootFS.DiffIDs[0] != manifest.Layers[0].Digest {
		t.Error("the layer is not the one that the configuration names")
	}
	var docker []struct {
		Config string
		Layers []string
	}
	decode(t, in["manifest.json"].content, &docker)
	path := func(d described) string { return strings.Replace(d.Digest, "sha256:", "blobs/sha256/", 1) }
	if docker[0].Config != path(manifest.Config) || docker[0].Layers[0] != path(manifest.Layers[0]) {
		t.Errorf("Docker is told of %+v", docker[0])
	}
	return config, layer
}

var onceImage struct {
	sync.Once
	raw []byte
}

// builtImage is the image of the tree that is tested, built once.
func builtImage(t *testing.T) []byte {
	t.Helper()
	onceImage.Do(func() { onceImage.raw = image(t, kit.Clone(t)) })
	if onceImage.raw == nil {
		t.Fatal("it could not be built")
	}
	return onceImage.raw
}

func TestTheImageIsTheSameByteForByte(t *testing.T) {
	if again := image(t, kit.Clone(t), "TZ=Asia/Tokyo", "LC_ALL=C.UTF-8"); !bytes.Equal(builtImage(t), again) {
		t.Error("it differs from the one built in another folder")
	}
}

func TestTheImageHoldsTheProgramAndNothingThatRunsBesideIt(t *testing.T) {
	config, layer := parts(t, builtImage(t))
	if config.Config.User != "65532:65532" {
		t.Errorf("it runs as %q, which must be a number and not root's", config.Config.User)
	}
	files := filesOf(t, layer)
	for path, want := range map[string]struct {
		mode  int64
		owner int
	}{
		"usr/bin/twinlock": {0o755, 0}, "usr/share/doc/twinlock/copyright": {0o644, 0},
		"etc/ssl/certs/ca-certificates.crt": {0o644, 0}, "etc/passwd": {0o644, 0}, "data": {0o700, 65532}, "tmp": {0o1777, 0},
	} {
		got, ok := files[path]
		if !ok || got.Mode != want.mode || got.Uid != want.owner || got.Gid != want.owner {
			t.Errorf("%s: there %v, %+v, want %+v", path, ok, got.Header, want)
		}
	}
	for path, f := range files {
		if f.Typeflag == tar.TypeReg && f.Mode&0o111 != 0 && path != "usr/bin/twinlock" {
			t.Errorf("%s is a program too", path)
		}
	}
}

// From its files alone, as its number, it serves.
func TestTheImageServes(t *testing.T) {
	config, layer := parts(t, builtImage(t))
	root := t.TempDir()
	unpack(t, layer, root)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	c := exec.Command(config.Config.Entrypoint[0], config.Config.Cmd...)
	c.Env = append(config.Config.Env, "TWINLOCK_LISTEN="+address, "TWINLOCK_PUBLIC_URL=http://"+address)
	c.Dir, c.SysProcAttr = "/data", &syscall.SysProcAttr{Chroot: root}
	asNumber(c.SysProcAttr, 65532)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stderr = os.Stderr
	if err := child.Start(c); err != nil {
		t.Fatal(err)
	}
	defer c.Wait()
	defer func() { _ = c.Process.Signal(syscall.SIGTERM) }()
	first, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || first != "Twinlock is at http://"+address+"\n" {
		t.Fatalf("%q, %v", first, err)
	}
	for until := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		answer, err := http.Get("http://" + address + "/readyz")
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(until) {
			t.Fatalf("it is not ready: %v", err)
		}
	}
}

// unpack writes a layer, and gives its files to their owners where it may.
func unpack(t *testing.T, layer []byte, root string) {
	t.Helper()
	from := tar.NewReader(bytes.NewReader(layer))
	for {
		h, err := from.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(root, h.Name)
		if h.Typeflag == tar.TypeDir {
			err = os.MkdirAll(path, h.FileInfo().Mode().Perm())
		} else {
			content, readErr := io.ReadAll(from)
			if readErr != nil {
				t.Fatal(readErr)
			}
			err = os.WriteFile(path, content, h.FileInfo().Mode().Perm())
		}
		if err == nil && os.Getuid() == 0 {
			err = os.Chown(path, h.Uid, h.Gid)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// asNumber lets a program run as a user of that number: by root's right, or in a
// namespace of its own in which we are that user.
func asNumber(a *syscall.SysProcAttr, number int) {
	if os.Getuid() == 0 {
		a.Credential = &syscall.Credential{Uid: uint32(number), Gid: uint32(number)}
		return
	}
	a.Cloneflags = syscall.CLONE_NEWUSER
	a.UidMappings = []syscall.SysProcIDMap{{ContainerID: number, HostID: os.Getuid(), Size: 1}}
	a.GidMappings = []syscall.SysProcIDMap{{ContainerID: number, HostID: os.Getgid(), Size: 1}}
}
