package manager

import (
	"strings"
	"testing"

	"github.com/air-executor/air-executor/db"
)

// An attempt that was cancelled and whose runner died has the reason cancelled,
// and its text must not say that it was lost.
func TestTheTextOfALossAgreesWithItsReason(t *testing.T) {
	a := db.Active{Runner: db.Runner{BootID: "boot"}}
	for _, cancelled := range []bool{false, true} {
		for boot, why := range map[string]string{"boot": "its runner died", "another": "the machine was restarted"} {
			want := "lost: "
			if a.Cancelled = cancelled; cancelled {
				want = "cancelled: "
			}
			if got := lossText(a, boot); !strings.HasPrefix(got, want+why+"; ") {
				t.Errorf("cancelled %t: %q", cancelled, got)
			}
		}
	}
}
