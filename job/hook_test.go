package job

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHooksAreReadAsTheyWereWritten(t *testing.T) {
	h := Hooks{OnSuccess: ShellHook("echo done"), OnFailure: Hook{"notify", "it has failed"}, OnEnd: Hook{}}
	text := EncodeHooks(h)
	if want := `{"on_success":"echo done","on_failure":["notify","it has failed"],"on_end":"none"}`; text != want {
		t.Errorf("written as %s, want %s", text, want)
	}
	if diff := cmp.Diff(h, DecodeHooks(text)); diff != "" {
		t.Errorf("read again (-want +got):\n%s", diff)
	}
	if got := EncodeHooks(Hooks{}); got != "" {
		t.Errorf("nothing is written as %q", got)
	}
	if diff := cmp.Diff(Hooks{OnEnd: Hook{"a"}}, DecodeHooks(`{"on_success":null,"on_end":["a"]}`)); diff != "" {
		t.Errorf("null (-want +got):\n%s", diff)
	}
	if got := DecodeHooks(`{"on_end":5}`); !got.IsZero() {
		t.Errorf("what cannot be read says %v", got)
	}
}

// A list that looks like the word for none is a program of that name.
func TestAProgramCalledNoneIsNotNone(t *testing.T) {
	h := Hooks{OnEnd: ShellHook(NoHook)}
	if diff := cmp.Diff(h, DecodeHooks(EncodeHooks(h))); diff != "" {
		t.Errorf("read again (-want +got):\n%s", diff)
	}
}

func TestTheNearestHookCounts(t *testing.T) {
	got := Hooks{OnEnd: Hook{}, OnFailure: Hook{"a"}}.Over(Hooks{OnEnd: Hook{"b"}, OnFailure: Hook{"b"}, OnSuccess: Hook{"b"}})
	want := Hooks{OnEnd: Hook{}, OnFailure: Hook{"a"}, OnSuccess: Hook{"b"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
